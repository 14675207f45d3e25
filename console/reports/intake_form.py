"""Intake form: the fields that somebody filled in, checked: what was told, or for each field what is wrong with it.

Units   degrees; what is typed as a time is by the clock of the cell
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, cast
from zoneinfo import ZoneInfo

from console.reports.intake import POINTS, SEEN_BY, USUAL, WHATS, Accuracy, SeenBy, Spot, Told, What
from records import Geo, Place
from records.report import CREDIBILITIES, Credibility

Field = Literal["report_id", "what", "words", "place", "lat", "seen_at", "seen_by", "credibility", "url", "photo_note"]

MOST_WORDS, MOST_PLACE, MOST_NOTE, MOST_URL = 1000, 120, 300, 2048
AHEAD = timedelta(minutes=5)  # clocks differ
OLDEST = timedelta(days=7)

PROBLEMS: Final[Mapping[str, str]] = {
    "form": "This form is not one of ours: load the page again.",
    "what": "Choose what is seen.",
    "words": "Say in a few words what it is.",
    "too_long": "This is too long: shorten it.",
    "where": "Say where: name a place with its municipality, or choose a point on the map.",
    "unknown_place": "No place of this name is known: add the municipality, or choose a point on the map.",
    "point": "Latitude and longitude are two numbers, such as 49.494 and 0.108: give both, or none.",
    "seen_at": "Give a day and an hour.",
    "ahead": "This lies in the future.",
    "too_old": "This is more than a week ago: write a note on its incident.",
    "seen_by": "Choose who saw it.",
    "credibility": "Choose one of these.",
    "url": "A link begins with https:// or http://.",
}
"""What may be wrong with a field, and what would do."""


REPORT_ID = re.compile(r"[0-9a-f]{16}")
LINK = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)


def told_from(
    fields: Mapping[str, str], *, now: datetime, zone: ZoneInfo, find_place: Callable[[str], Sequence[Place]]
) -> Told | dict[Field, str]:
    """Return what a form tells, or what is wrong with it: field to the code of a problem.

    Shape   `meant` chooses among the places that bear the name; a point goes before a name
    """
    given = {name: cleaned(value) for name, value in fields.items()}
    wrong: dict[Field, str] = {}
    what, seen_by = given.get("what", ""), given.get("seen_by", "")
    credibility = given.get("credibility", "") or USUAL.get(cast(SeenBy, seen_by), "")
    seen_at = _moment(given.get("seen_at", ""), now, zone)
    wrong |= _chosen(given, what, seen_by, credibility) | _texts(given, what)
    if isinstance(seen_at, str):
        wrong["seen_at"] = seen_at
    spot, meant = _spot(given, find_place, wrong)
    if wrong or spot is None or isinstance(seen_at, str):
        return wrong
    return Told(
        report_id=given["report_id"],
        what=cast(What, what),
        words=given.get("words", ""),
        spot=spot,
        seen_by=cast(SeenBy, seen_by),
        credibility=cast(Credibility, credibility),
        seen_at=seen_at,
        url=given.get("url", ""),
        photo_note=given.get("photo_note", ""),
        meant=meant,
    )


def cleaned(text: str) -> str:
    """Return a text without what nobody types: control characters, which no database takes either."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    return "".join(char for char in composed if char == "\n" or unicodedata.category(char) not in ("Cc", "Cs")).strip()


def _chosen(given: Mapping[str, str], what: str, seen_by: str, credibility: str) -> dict[Field, str]:
    wrong: dict[Field, str] = {}
    if not REPORT_ID.fullmatch(given.get("report_id", "")):
        wrong["report_id"] = "form"
    if what not in WHATS:
        wrong["what"] = "what"
    if seen_by not in SEEN_BY:
        wrong["seen_by"] = "seen_by"
    elif credibility not in CREDIBILITIES:
        wrong["credibility"] = "credibility"
    return wrong


def _texts(given: Mapping[str, str], what: str) -> dict[Field, str]:
    wrong: dict[Field, str] = {}
    if what == "other" and not given.get("words"):
        wrong["words"] = "words"
    longest: tuple[tuple[Field, int], ...] = (("words", MOST_WORDS), ("photo_note", MOST_NOTE), ("url", MOST_URL))
    for name, most in longest:
        if len(given.get(name, "")) > most:
            wrong[name] = "too_long"
    url = given.get("url", "")
    if url and "url" not in wrong and not LINK.fullmatch(url):
        wrong["url"] = "url"
    return wrong


def _moment(text: str, now: datetime, zone: ZoneInfo) -> datetime | str:
    """Return a time typed by the clock of a zone, or the code of what is wrong; none typed: now.

    In the hour that comes twice in autumn, the later one is meant, unless that is still to come.
    """
    if not text:
        return now
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return "seen_at"
    local = [read.replace(tzinfo=read.tzinfo or zone, fold=fold) for fold in (1, 0)]
    past = [one for one in local if one - now <= AHEAD]
    if not past:
        return "ahead"
    return "too_old" if now - past[0] > OLDEST else past[0].astimezone(now.tzinfo)


def _spot(
    given: Mapping[str, str], find_place: Callable[[str], Sequence[Place]], wrong: dict[Field, str]
) -> tuple[Spot | None, tuple[Place, ...]]:
    name, lat, lon = given.get("place", ""), given.get("lat", ""), given.get("lon", "")
    if len(name) > MOST_PLACE:
        wrong["place"] = "too_long"
        return None, ()
    if lat or lon:
        point = _point(lat, lon)
        if point is None:
            wrong["lat"] = "point"
            return None, ()
        accuracy: Accuracy = "place" if given.get("accuracy") == "place" else "point"
        return Spot(name=name, lat=point.lat, lon=point.lon, accuracy=accuracy), ()
    if not name:
        wrong["place"] = "where"
        return None, ()
    return _named(name, given.get("meant", ""), find_place, wrong)


def _named(
    name: str, meant: str, find_place: Callable[[str], Sequence[Place]], wrong: dict[Field, str]
) -> tuple[Spot | None, tuple[Place, ...]]:
    found = list(find_place(name))
    if not found:
        wrong["place"] = "unknown_place"
        return None, ()
    found.sort(key=lambda place: place.place_id != meant)  # stable: the chosen one first, then the likeliest
    first = found[0]
    accuracy: Accuracy = "point" if first.level in POINTS else "place"
    return Spot(name=name, lat=first.lat, lon=first.lon, accuracy=accuracy), tuple(found)


def _point(lat: str, lon: str) -> Geo | None:
    try:
        found = Geo(lat=float(lat.replace(",", ".")), lon=float(lon.replace(",", ".")))
    except ValueError:
        return None
    return found if -90 <= found.lat <= 90 and -180 <= found.lon <= 180 else None  # noqa: PLR2004  degrees
