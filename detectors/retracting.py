"""Retracting: what was deleted or changed loses its words everywhere; that it was said has counted, and stays.

Shape   one retraction in, one revision out for each incident that had shown it, whatever its level
Source  the promise of docs/invariants.md 5
"""

from msgspec.structs import replace

from detectors.case import Case
from detectors.entry import REMOVED
from detectors.ledger import INCIDENT
from detectors.state import Incident, Slot
from records import Alert, Evidence, words_of


def retract(case: Case, name: str, unless: str) -> bool:
    """Take the words of a post, or of an author, from one ledger and from what was told; return if there were any.

    `name` is the post's key or the author's pseudonym, `unless` what the post says now: that stays. The caller works
    the ledger out again.
    """
    had_words = case.ledger.retract(name, unless)
    had_words |= _blank_base(case, name, unless)
    for told_as, told in list(case.ledger.told.items()):
        if any(_is_of(item, name, unless) for item in told.alert.evidence):
            alert = without_words(told.alert, name, unless)
            case.ledger.told[told_as] = replace(told, alert=alert)
            case.alerts.append(alert)
            had_words = True
    return had_words


def without_words(alert: Alert, name: str, unless: str = "") -> Alert:
    """Return the next revision of an alert, without the words of a post or an author."""
    evidence = tuple(
        replace(item, text="", url=None, author_id=REMOVED, is_removed=True) if _is_of(item, name, unless) else item
        for item in alert.evidence
    )
    return replace(alert, revision=alert.revision + 1, evidence=evidence)


def _is_of(item: Evidence | Slot, name: str, unless: str) -> bool:
    if item.is_removed or name not in (item.post_key, item.author_id):
        return False
    return not unless or words_of(item.text) != unless


def _blank_base(case: Case, name: str, unless: str) -> bool:
    """Take the words from the incidents at the checkpoint: they follow from entries that are gone."""
    had_words = False
    for place, value in list(case.ledger.base.items()):
        if place[0] != INCIDENT or not isinstance(value, Incident):
            continue
        if any(_is_of(slot, name, unless) for slot in value.all_slots):
            case.ledger.base[place] = _without_slots_of(value, name, unless)
            case.ledger.changed_base.add(place)
            had_words = True
    return had_words


def _without_slots_of(incident: Incident, name: str, unless: str) -> Incident:
    parted = tuple(replace(one, slots=_blanked(one.slots, name, unless)) for one in incident.parted)
    return replace(incident, slots=_blanked(incident.slots, name, unless), parted=parted)


def _blanked(slots: tuple[Slot, ...], name: str, unless: str) -> tuple[Slot, ...]:
    return tuple(_removed(slot) if _is_of(slot, name, unless) else slot for slot in slots)


def _removed(slot: Slot) -> Slot:
    """Return what is shown of a post whose words are gone."""
    return replace(slot, text="", url=None, author_id=REMOVED, is_removed=True)
