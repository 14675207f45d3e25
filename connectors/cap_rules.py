"""What a CAP document of ours must keep to beyond the OASIS schema, which accepts every breach named here.

Shape   a document in, its problems out: "element: what was found; what would do"; none where it may be handed on
Units   positions in degrees WGS84, latitude first; radii in km
Source  https://docs.oasis-open.org/emergency/cap/v1.2/CAP-v1.2-os.html, and rules of our own: Vigie drafts, people send
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from lxml import etree

from connectors.cap import (
    EARTH_KM,
    MAX_LAT,
    MAX_LON,
    children,
    content,
    is_cap,
    local,
    moment_in,
    pairs_in,
    text_in,
    tree_from,
)
from records import MalformedRecord

STATUSES: Final = ("Draft", "Exercise")
SCOPES: Final = ("Restricted", "Private")
FIRST_LANGUAGE: Final = "fr-fr"
LEAST_POINTS: Final = 4
NEEDS_REFERENCES: Final = ("Update", "Cancel")
TIMES: Final = ("effective", "onset", "expires")
UNFIT: Final = re.compile(r"[\s,<&]")
"""What an identifier and a sender must not hold."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
_REFERENCE = re.compile(rf"[^\s,<&]+,[^\s,<&]+,{_MOMENT.pattern}")


class Box(NamedTuple):
    """A part of the territory, from south-west to north-east."""

    south: float
    west: float
    north: float
    east: float

    def has(self, lat: float, lon: float) -> bool:
        """Tell whether a position lies in it."""
        return self.south <= lat <= self.north and self.west <= lon <= self.east


FRANCE: Final = (
    Box(41.0, -5.6, 51.6, 10.0),
    Box(14.0, -63.3, 18.3, -60.5),  # Guadeloupe, Martinique, Saint-Martin, Saint-Barthélemy
    Box(1.9, -55.0, 6.2, -51.3),  # Guyane
    Box(-21.6, 54.9, -20.6, 56.1),  # La Réunion
    Box(-13.3, 44.7, -12.3, 45.5),  # Mayotte
    Box(46.5, -56.7, 47.4, -55.9),  # Saint-Pierre-et-Miquelon
    Box(-23.5, 158.0, -15.0, 173.0),  # Nouvelle-Calédonie
    Box(-14.6, -178.5, -13.0, -175.8),  # Wallis-et-Futuna
    Box(-28.5, -155.0, -7.5, -134.0),  # Polynésie française
)
"""Where an area with an INSEE code lies. No position in one of these is still in one with its numbers swapped."""


def problems_in(document: bytes, territory: Sequence[Box] = FRANCE) -> list[str]:
    """Return what is wrong with a document of ours; with an empty list it may be handed on."""
    try:
        root = tree_from(document)
    except MalformedRecord as error:
        return [f"document: {error}; write it again"]
    if local(root) != "alert" or not is_cap(root):
        return [f"document: begins with <{local(root)[:40]}>; begin it with <alert> of CAP 1.2"]
    found = [problem for rule in RULES for problem in rule(root)]
    for info in children(root, "info"):
        found += [problem for info_rule in INFO_RULES for problem in info_rule(info)]
        for area in children(info, "area"):
            found += _area(area, territory)
    return found


def _names(root: etree._Element) -> Iterator[str]:
    for name in ("identifier", "sender"):
        text = next((child.text or "" for child in children(root, name)), "")
        unfit = UNFIT.search(text)
        if not text:
            yield f"{name}: is empty; give one"
        elif unfit:
            yield f"{name}: holds {unfit[0]!r}; leave out blanks, commas, < and &"


def _status(root: etree._Element) -> Iterator[str]:
    status = text_in(root, "status")
    if status not in STATUSES:
        yield f"status: {status[:40]!r}; write Draft, or Exercise for a drill: people send, Vigie drafts"


def _scope(root: etree._Element) -> Iterator[str]:
    scope, restriction = text_in(root, "scope"), text_in(root, "restriction")
    if scope not in SCOPES:
        yield f"scope: {scope[:40]!r}; write Restricted with a restriction, or Private with addresses"
    if scope == "Restricted" and not restriction:
        yield "restriction: is missing; say to whom the Restricted alert is restricted"
    if scope != "Restricted" and restriction:
        yield f"restriction: stands beside the scope {scope[:40]!r}; leave it out, or write Restricted"
    if scope == "Private" and not text_in(root, "addresses"):
        yield "addresses: is missing; name those whom the Private alert is for"


def _references(root: etree._Element) -> Iterator[str]:
    message, references = text_in(root, "msgType"), text_in(root, "references").split()
    if message in NEEDS_REFERENCES and not references:
        yield f"references: is missing beside the msgType {message}; name the messages that it follows or takes back"
    for one in references:
        if not _REFERENCE.fullmatch(one):
            yield f"references: {one[:100]!r}; write sender,identifier,sent"


def _sent(root: etree._Element) -> Iterator[str]:
    yield from _moment(root, "sent")


def _languages(root: etree._Element) -> Iterator[str]:
    languages = [text_in(info, "language").casefold() for info in children(root, "info")]
    if not languages:
        yield "info: there is none; write one for each language"
        return
    if languages[0] != FIRST_LANGUAGE:
        yield f"language: {languages[0][:20]!r} comes first; begin with fr-FR"
    for language in dict.fromkeys(languages):
        if languages.count(language) > 1:
            yield f"language: {language[:20]!r} has {languages.count(language)} infos; write one for each language"


def _times(info: etree._Element) -> Iterator[str]:
    for name in TIMES:
        if text_in(info, name):
            yield from _moment(info, name)
    told = [(name, moment) for name in TIMES if (moment := moment_in(info, name))]
    for (earlier, before), (later, after) in pairwise(told):
        if before > after:
            yield f"{earlier}: comes after {later}; write effective, onset and expires in their order"


def _moment(node: etree._Element, name: str) -> Iterator[str]:
    text = text_in(node, name)
    if not _MOMENT.fullmatch(text) or moment_in(node, name) is None:
        yield f"{name}: {text[:40]!r}; write seconds and the offset in digits, as in 2026-11-22T10:00:00+01:00"


def _certainty(info: etree._Element) -> Iterator[str]:
    level = dict(pairs_in(info, "parameter")).get("level", "")
    if text_in(info, "certainty") == "Observed" and level != "confirmed":
        yield f"certainty: Observed at the level {level[:20]!r}; write Likely, until an authority or a sensor confirms"


def _web(info: etree._Element) -> Iterator[str]:
    for web in children(info, "web"):
        if not re.fullmatch(r"https://[^\s/]+\S*", content(web)):
            yield f"web: {content(web)[:100]!r}; give an https address"


def _area(area: etree._Element, territory: Sequence[Box]) -> Iterator[str]:
    is_ours = any(name == "INSEE" for name, _ in pairs_in(area, "geocode"))
    for polygon in children(area, "polygon"):
        yield from _polygon(content(polygon), territory if is_ours else ())
    for circle in children(area, "circle"):
        yield from _circle(content(circle), territory if is_ours else ())


def _polygon(text: str, territory: Sequence[Box]) -> Iterator[str]:
    pairs = text.split()
    problems = [problem for pair in pairs for problem in _position("polygon", pair, territory)]
    yield from problems[:3]
    if len(pairs) < LEAST_POINTS:
        yield f"polygon: has {len(pairs)} points; give 4 or more, the last one the first again"
    elif not problems and _numbers(pairs[0]) != _numbers(pairs[-1]):
        yield f"polygon: ends at {pairs[-1][:40]}; end it at {pairs[0][:40]}, where it begins"


def _circle(text: str, territory: Sequence[Box]) -> Iterator[str]:
    pair, _, radius = text.partition(" ")
    numbers = _numbers(radius.strip())
    if numbers is None or len(numbers) != 1 or not 0 <= numbers[0] <= math.pi * EARTH_KM:
        yield f"circle: {text[:60]!r}; write latitude,longitude and, after a blank, the radius in km"
    yield from _position("circle", pair, territory)


def _position(element: str, pair: str, territory: Sequence[Box]) -> Iterator[str]:
    numbers = _numbers(pair)
    if numbers is None or len(numbers) != len(("lat", "lon")):
        yield f"{element}: {pair[:40]!r} is no position; write latitude,longitude in degrees"
        return
    lat, lon = numbers
    if abs(lat) > MAX_LAT or abs(lon) > MAX_LON:
        yield f"{element}: {pair[:40]} is nowhere; latitude comes first, from -90 to 90, longitude from -180 to 180"
    elif territory and not any(box.has(lat, lon) for box in territory):
        yield f"{element}: {pair[:40]} is not in the territory of its INSEE code; latitude comes first"


def _numbers(text: str) -> tuple[float, ...] | None:
    """Return the numbers between commas, or None where one of them is none."""
    if not re.fullmatch(r"[-+0-9.,]+", text):  # Python reads more as a number than XML does
        return None
    try:
        return tuple(float(one) for one in text.split(","))
    except ValueError:
        return None


Rule = Callable[[etree._Element], Iterator[str]]
RULES: Final[tuple[Rule, ...]] = (_names, _status, _scope, _references, _sent, _languages)
INFO_RULES: Final[tuple[Rule, ...]] = (_times, _certainty, _web)
