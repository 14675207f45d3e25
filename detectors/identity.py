"""Identity: which incident is which, for us and for those who were told.

What an incident is called here follows from its signals alone, so a late one that shifts its beginning renames it. Who
was told of it must see none of that: an incident is told under the name it was first told by, and what people decide
under that name finds it.

Shape   `id_for` when one opens; `name_of` whenever it is told; `adopt` after steps were worked out again
Source  docs/detection.md 3
"""

from collections.abc import Mapping
from hashlib import blake2b

from msgspec.structs import replace

from detectors.case import Case
from detectors.moment import MINUTE
from detectors.profile import HazardProfile, kilometres_between
from detectors.state import APART, OPEN, Happening, Incident, Part, Told

ONSET_BUCKET = 10 * MINUTE


def id_for(case: Case, part: Part, at: int) -> str:
    """Return the id of an incident that opens: that of the post that was pointed out on the map, if one was."""
    known = case.ledger.incidents.get(part.node)
    return known.incident_id if known is not None and known.level == "signal" else _free_id(case, part.node, part, at)


def id_for_point(case: Case, part: Part, at: int) -> str:
    """Return the id of a single post that is pointed out on the map."""
    return _free_id(case, f"{part.node}/signal", part, at)


def _free_id(case: Case, name: str, part: Part, at: int) -> str:
    taken = {incident.incident_id for incident in case.ledger.incidents.values()}
    found = incident_id_from(case.watched.name, name, part.onset_at)
    # one that began here at that time may have moved elsewhere
    return found if found not in taken else incident_id_from(case.watched.name, f"{name}/{at}", part.onset_at)


def incident_id_from(hazard: str, node: str, onset_at: int) -> str:
    """Return the id of an incident: the same for the same signals, whoever reads them and how often."""
    text = f"{hazard}\n{node}\n{onset_at // ONSET_BUCKET}".encode("utf-8", "surrogatepass")
    return f"{hazard}-{blake2b(text, digest_size=8).hexdigest()}"


def name_of(case: Case, incident: Incident) -> tuple[str, Told | None]:
    """Return under which id an incident is told, and what was told last; None where nothing was."""
    told = case.ledger.told
    name = incident.incident_id
    known = told.get(name)
    if known is not None and known.happening.incident_id == name:
        return name, known
    for other, one in told.items():
        if one.happening.incident_id == incident.incident_id:
            return other, one
    while name in told:  # by which another is told
        name = incident_id_from(case.watched.name, f"{incident.node}/{name}", incident.onset_at)
    return name, None


def adopt(case: Case) -> None:
    """Let incidents that nobody was told of go on under the names of what they were before, by place and beginning."""
    there, told = case.seen(), case.ledger.told
    for name, one in told.items():
        if _is_no_more(one, there):
            told[name] = replace(one, happening=replace(one.happening, incident_id=""))
    known = {one.happening.incident_id for one in told.values()}
    orphans = {name: one for name, one in told.items() if one.happening.incident_id not in there}
    new = {name: incident for name, incident in there.items() if name not in known}
    for _, name, other in sorted(_pairs(orphans, new, case.watched.settings)):
        if name in orphans and other in new:
            told[name] = replace(orphans.pop(name), happening=new.pop(other).happening)


def _is_no_more(told: Told, there: Mapping[str, Incident]) -> bool:
    """Tell whether of an incident that people heard of only a post on the map is left."""
    incident = there.get(told.happening.incident_id)
    if incident is None or incident.level != "signal":
        return False
    return told.alert.level != "signal" and not told.is_ruled


def _pairs(
    orphans: Mapping[str, Told], incidents: Mapping[str, Incident], settings: HazardProfile
) -> list[tuple[int, str, str]]:
    """Return what may be the same, by how far apart their beginnings are."""
    return [
        (abs(told.happening.onset_at - incident.onset_at), name, other)
        for name, told in orphans.items()
        for other, incident in incidents.items()
        if _may_go_on(told, incident) and _are_same(told.happening, incident.happening, settings)
    ]


def _may_go_on(told: Told, incident: Incident) -> bool:
    level = told.alert.level
    if incident.level == "signal" or level == "signal":  # what is for the map alone stays so, unless people decided
        return incident.level == level or told.is_ruled
    return level in OPEN or (level in ("resolved", "rejected") and incident.opened_at <= told.at)


def _are_same(one: Happening, other: Happening, settings: HazardProfile) -> bool:
    if APART in one.path[0] or APART in other.path[0]:  # known by its decision alone, not by where it is
        return False
    if one.path[0] in other.path or other.path[0] in one.path:
        return True
    apart = kilometres_between(one.lat, one.lon, other.lat, other.lon)
    return apart <= settings.neighbour_km and abs(one.onset_at - other.onset_at) <= settings.neighbour_minutes * MINUTE
