"""Promotion: a profile that people put in force takes over from the one of the settings, in every state.

Each shelf knows the newest change, and each ledger by which one each of its signals was worked out: a change takes its
place among the entries, after what was heard so far. What comes late is worked out by the profile that was in force
then; what is open, counted, learned and told goes on.

Shape   `promoted` for a change that comes; `turn_of` when a ledger is next asked for; `turn` when it is worked out
Errors  SettingsError, with what would do, for a profile that cannot take over here
"""

from typing import Any

from msgspec.structs import replace

from detectors.case import Case
from detectors.entry import Entry, entry_of_change
from detectors.ledger import Ledger
from detectors.profile import Profile, profile_at
from detectors.state import Incident, Node
from detectors.statistic import mixture
from records import ProfileChange, SettingsError
from records.profile_change import MOST_TOML


def promoted(change: ProfileChange, usual: Profile) -> Profile:
    """Return the profile that a change puts in force, watching from where the one of the settings does.

    Errors  SettingsError when it cannot be used, or cannot take over without a restart
    """
    if change.is_back:
        return usual
    file = f"profile {change.name}/{change.version}"
    if len(change.toml) > MOST_TOML:
        raise SettingsError(f"{file}: {len(change.toml)} characters; no more than {MOST_TOML} fit")
    profile = profile_at(change.toml, usual.home, file=file)
    if (profile.name, profile.version) != (change.name, change.version):
        raise SettingsError(f"{file}: its text says {profile.name}/{profile.version}; call it what its text calls it")
    if set(profile.hazards) != set(usual.hazards):
        raise SettingsError(
            f"{file}: hazards = {_listed(profile)}: those of a running worker are {_listed(usual)}, and are read at "
            "its start; keep them, or change the profile of the settings and start anew"
        )
    if profile.time_zone != usual.time_zone:
        raise SettingsError(
            f"{file}: time_zone = {profile.time_zone!r}: what is usual at which hour was learned by the clock of "
            f"{usual.time_zone!r}; keep it, or change the profile of the settings and start anew"
        )
    return profile


def _listed(profile: Profile) -> str:
    return ", ".join(sorted(profile.hazards))


def turn_of(ledger: Ledger, change_id: str) -> Entry | None:
    """Return the entry by which a ledger turns to another profile; None where it has heard nothing, and just does."""
    if not ledger.checkpoint_at:
        return None
    last = ledger.steps[-1].order[0] if ledger.steps else 0
    return entry_of_change(change_id, max(last, ledger.checkpoint_at) + 1)


def turn(case: Case, change_id: str) -> None:
    """Go on by another profile, with all that is known; of another number of rates, each begins at the mean of all."""
    case.put_in_force(change_id)
    rates, ledger = len(case.watched.rates.per_minute), case.ledger
    for name, node in list(ledger.nodes.items()):
        if (fitting := _fitted_node(node, rates)) is not node:
            case.put_node(name, fitting)
    for incident in list(ledger.incidents.values()):
        if (fitted_one := _fitted_incident(incident, rates)) is not incident:
            case.put_incident(fitted_one)


def fitted(value: Any, rates: int) -> Any:
    """Return what was kept so that it fits a profile that assumes a number of rates: itself where it does."""
    if isinstance(value, Incident):
        return _fitted_incident(value, rates)
    return _fitted_node(value, rates) if isinstance(value, Node) else value


def _fitted_incident(incident: Incident, rates: int) -> Incident:
    if len(incident.values) == rates:
        return incident
    believed = incident.belief and replace(incident.belief, values=[mixture(incident.belief.values)] * rates)
    return replace(incident, values=[mixture(incident.values)] * rates, fresh=[], belief=believed)


def _fitted_node(node: Node, rates: int) -> Node:
    """Return a node; its statistic begins anew where it does not fit."""
    return node if node.stat is None or len(node.stat.values) == rates else replace(node, stat=None)
