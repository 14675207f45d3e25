"""Declared: whether what an operator or an authority announced fits what people perceive, and what does not.

A candidate explanation, no more. On 18 January 2026 a deafening noise kept the neighbours of Le Havre awake; one site
had declared a shutdown two days before, and it was another one's valve. So every reason against is told, and none
silences.

Shape   four questions: place, direction, time, phenomenon; wind is not known here
Units   kilometres; directions in degrees from north, clockwise
Source  docs/detection.md 3
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import asin, atan2, cos, degrees, radians, sin

from detectors.moment import LATEST, instant_from
from detectors.perceived import Perceived, bare, phenomena_in
from detectors.profile import kilometres_between
from records import Bulletin, Place

USUAL_SPAN = timedelta(hours=24)
EARLY, LATE = timedelta(minutes=30), timedelta(hours=2)
REACH_KM = 5.0
OFF_COURSE = 67.5
"""Degrees by which a direction that people name may differ from that of the site: they name one of eight."""
LEAST_KM = 1.0  # nearer than that, a direction says nothing
FOR_EVER = instant_from(LATEST)

EXPLAINED: dict[str, frozenset[str]] = {
    "flare": frozenset(("flare", "smoke", "noise")),
    "smoke": frozenset(("smoke", "odour")),
    "noise": frozenset(("noise",)),
    "odour": frozenset(("odour",)),
    "siren": frozenset(("siren", "noise")),
}
"""What people may perceive of what is announced. Nobody announces a blast."""
ALL = frozenset(("flare", "smoke", "noise", "odour", "blast", "siren"))
_WINDS = {
    "fr": ("au nord", "au nord-est", "à l’est", "au sud-est", "au sud", "au sud-ouest", "à l’ouest", "au nord-ouest"),
    "en": ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"),
}
_NOUNS = {
    "fr": {
        "flare": "de flammes",
        "smoke": "de fumée",
        "noise": "de bruit",
        "odour": "d’odeur",
        "blast": "d’explosion",
        "siren": "de sirène",
    },
    "en": {
        "flare": "flames",
        "smoke": "smoke",
        "noise": "noise",
        "odour": "an odour",
        "blast": "an explosion",
        "siren": "a siren",
    },
}
_ANNOUNCED = {
    "flare": ("flammes annoncées", "flames announced"),
    "smoke": ("fumée annoncée", "smoke announced"),
    "noise": ("bruit annoncé", "noise announced"),
    "odour": ("odeur annoncée", "odour announced"),
    "siren": ("sirènes annoncées", "sirens announced"),
}


@dataclass
class Judgement:
    """What speaks for a notice as an explanation, and what against, in both languages."""

    supports: list[tuple[str, str]] = field(default_factory=list)
    objections: list[tuple[str, str]] = field(default_factory=list)

    @property
    def fits(self) -> bool:
        """Tell whether nothing speaks against it."""
        return not self.objections

    @property
    def because(self) -> dict[str, str]:
        """Return what does not fit, or else what does."""
        said = self.objections or self.supports
        return {"fr": ", ".join(one for one, _ in said), "en": ", ".join(one for _, one in said)}


def judged(bulletin: Bulletin, place: Place, onset: datetime, perceived: Perceived) -> Judgement:
    """Return whether a notice explains what people perceive at a place since a moment."""
    judgement = Judgement()
    _judge_place(judgement, bulletin, place)
    _judge_direction(judgement, bulletin, place, perceived)
    _judge_time(judgement, bulletin, onset)
    _judge_phenomenon(judgement, bulletin, perceived)
    return judgement


def is_near(bulletin: Bulletin, place: Place) -> bool:
    """Tell whether a bulletin speaks of a place, or of none."""
    site = bulletin.place
    return site is None or _apart(site, place) <= site.radius_km + place.radius_km + REACH_KM


def is_in_time(bulletin: Bulletin, onset: datetime) -> bool:
    """Tell whether what a bulletin announces was on when something began."""
    return starts_at(bulletin) - EARLY <= onset <= ends_at(bulletin) + LATE


def starts_at(bulletin: Bulletin) -> datetime:
    """Return from when a bulletin holds."""
    return bulletin.starts_at or bulletin.issued_at


def ends_at(bulletin: Bulletin) -> datetime:
    """Return until when a bulletin holds: for a day where it does not say."""
    return min(bulletin.ends_at or starts_at(bulletin) + USUAL_SPAN, FOR_EVER)


def _judge_place(judgement: Judgement, bulletin: Bulletin, place: Place) -> None:
    if bulletin.place is None:
        return
    apart = _apart(bulletin.place, place)
    fr, en = f"à {apart:.0f} km de là", f"{apart:.0f} km away"
    if apart >= LEAST_KM:
        wind = _wind(_bearing(place, bulletin.place))
        fr, en = f"à {apart:.0f} km {_WINDS['fr'][wind]}", f"{apart:.0f} km away to the {_WINDS['en'][wind]}"
    if not is_near(bulletin, place):
        judgement.objections.append((fr, en))
    elif apart <= max(place.radius_km, bulletin.place.radius_km, LEAST_KM):
        judgement.supports.append(("même endroit", "same place"))
    else:
        judgement.supports.append((fr, en))


def _judge_direction(judgement: Judgement, bulletin: Bulletin, place: Place, perceived: Perceived) -> None:
    """Ask whether people look towards the site: only where it lies outside the place that they are in."""
    if bulletin.place is None or not perceived.directions or not is_near(bulletin, place):
        return
    apart = _apart(bulletin.place, place)
    if apart <= max(place.radius_km, LEAST_KM):
        return
    there = _bearing(place, bulletin.place)
    allowed = OFF_COURSE + degrees(asin(place.radius_km / apart))
    seen = min(perceived.directions, key=lambda way: _turn(way, there))
    if _turn(seen, there) > allowed:
        lies, looked = _wind(there), _wind(seen)
        judgement.objections.append(
            (
                f"perçu {_WINDS['fr'][looked]}, le site est {_WINDS['fr'][lies]}",
                f"perceived to the {_WINDS['en'][looked]}, the site lies to the {_WINDS['en'][lies]}",
            )
        )


def _judge_time(judgement: Judgement, bulletin: Bulletin, onset: datetime) -> None:
    if onset < starts_at(bulletin) - EARLY:
        judgement.objections.append(("ne commence qu’après", "begins only later"))
    elif onset > ends_at(bulletin) + LATE:
        judgement.objections.append(("était déjà fini", "was over by then"))
    else:
        judgement.supports.append(("même moment", "same time"))


def _judge_phenomenon(judgement: Judgement, bulletin: Bulletin, perceived: Perceived) -> None:
    announced = announced_by(bulletin)
    if announced is None or not perceived.phenomena:
        return
    explained = frozenset().union(*(EXPLAINED.get(name, ALL) for name in announced))
    strange = _shown_of(perceived.phenomena, without=explained)
    if strange:
        judgement.objections += [
            (f"n’annonce pas {_NOUNS['fr'][s]}", f"does not announce {_NOUNS['en'][s]}") for s in strange
        ]
    elif announced == {"siren"} and "siren" not in perceived.named:
        judgement.objections.append(("personne ne parle de sirène", "nobody speaks of a siren"))
    else:
        judgement.supports += [_ANNOUNCED[name] for name in sorted(announced) if name in _ANNOUNCED]


def announced_by(bulletin: Bulletin) -> frozenset[str] | None:
    """Return the phenomena that a notice announces, empty for works that say none; None where anything may be meant."""
    if bulletin.kind == "siren_test":
        return frozenset(("siren",))
    if bulletin.kind == "exercise" or bulletin.phenomenon == "incident":
        return None
    if bulletin.phenomenon in EXPLAINED:
        return frozenset((bulletin.phenomenon,))
    said = phenomena_in(bare(bulletin.text)) - {"blast"}
    return said if said or bulletin.phenomenon == "maintenance" else None


def _shown_of(phenomena: frozenset[str], *, without: frozenset[str]) -> list[str]:
    """Return what is left of what people perceive; the sirens of the fire brigade are no phenomenon of their own."""
    return sorted(phenomena - without - {"siren"})


def _apart(one: Place, other: Place) -> float:
    return kilometres_between(one.lat, one.lon, other.lat, other.lon)


def _bearing(here: Place, there: Place) -> float:
    lat, other_lat, turn = radians(here.lat), radians(there.lat), radians(there.lon - here.lon)
    east = sin(turn) * cos(other_lat)
    north = cos(lat) * sin(other_lat) - sin(lat) * cos(other_lat) * cos(turn)
    return degrees(atan2(east, north)) % 360.0


def _turn(one: float, other: float) -> float:
    """Return by how much two directions differ."""
    return abs((one - other + 180.0) % 360.0 - 180.0)


def _wind(bearing: float) -> int:
    return round(bearing / 45.0) % 8
