"""CAP: the Common Alerting Protocol 1.2 as documents hold it; one codec for who reads alerts and for who writes them.

Shape   bytes to a `CapAlert` and back; contacts, instructions and resources are neither read nor written
Units   times with their zone, read into UTC; positions in degrees WGS84, latitude first; radii in km
Errors  MalformedRecord for what is no alert
Source  https://docs.oasis-open.org/emergency/cap/v1.2/CAP-v1.2-os.html
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from typing import Final, Literal, NamedTuple

import msgspec
from lxml import etree

from records import MalformedRecord

NAMESPACES: Final = "urn:oasis:names:tc:emergency:cap:"
NAMESPACE: Final = f"{NAMESPACES}1.2"
ALERT_TYPE: Final = "application/cap+xml"
MAX_POINTS: Final = 20_000
MAX_AREAS: Final = 128
MAX_LAT, MAX_LON = 90.0, 180.0
EARTH_KM: Final = 6371.0

Status = Literal["Actual", "Exercise", "System", "Test", "Draft"]
MessageType = Literal["Alert", "Update", "Cancel", "Ack", "Error"]
Scope = Literal["Public", "Restricted", "Private"]
Category = Literal[
    "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"
]
ResponseType = Literal["Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"]

Pairs = tuple[tuple[str, str], ...]  # (valueName, value)


class Area(msgspec.Struct, frozen=True):
    """One area of an alert, as it is told."""

    name: str
    geocodes: Pairs = ()
    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()  # (lat, lon)
    circles: tuple[tuple[float, float, float], ...] = ()  # (lat, lon, km)

    @property
    def points(self) -> list[tuple[float, float]]:
        """The corners of all its polygons."""
        return [point for polygon in self.polygons for point in polygon]


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """What an alert says in one language; texts stand as they came, words of the standard too."""

    language: str
    event: str
    categories: tuple[str, ...] = ()
    responses: tuple[str, ...] = ()
    urgency: str = ""
    severity: str = ""
    certainty: str = ""
    codes: Pairs = ()
    effective_at: datetime | None = None
    onset_at: datetime | None = None
    ends_at: datetime | None = None
    headline: str = ""
    description: str = ""
    web: str = ""
    parameters: Pairs = ()
    areas: tuple[Area, ...] = ()

    @property
    def starts_at(self) -> datetime | None:
        """When it begins, as far as it is said."""
        return self.onset_at or self.effective_at

    def parameter(self, name: str) -> str:
        """Return the last value of a parameter, "" without one."""
        return dict(self.parameters).get(name, "")


class Reference(NamedTuple):
    """What names one message: `sender,identifier,sent`."""

    sender: str
    identifier: str
    sent: str  # as it stands in the message

    @property
    def key(self) -> str:
        """What stands for it in cursors and in the ids of bulletins."""
        return key_of(self.sender, self.identifier)

    def __str__(self) -> str:
        return f"{self.sender},{self.identifier},{self.sent}"


class CapAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One message: an alert, its update, its end; words of the standard as they came."""

    identifier: str
    sender: str
    sent_at: datetime
    status: str
    message: str
    scope: str
    restriction: str = ""
    addresses: str = ""
    references: tuple[Reference, ...] = ()  # oldest first
    incidents: str = ""
    infos: tuple[Info, ...] = ()

    @property
    def key(self) -> str:
        """What stands for it in cursors and in the ids of bulletins."""
        return key_of(self.sender, self.identifier)


def key_of(*names: str) -> str:
    """Return what stands for an alert or an entry of a feed in cursors and in the ids of bulletins."""
    return hashlib.sha256("\n".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def tree_from(value: bytes) -> etree._Element:
    """Return the root of an XML document, read without entities, without a network and within bounds.

    Errors  MalformedRecord `undecodable`, or `invalid` when it declares a document type
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(value, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MalformedRecord(f"not XML: {str(error)[:200]}", reason="undecodable") from error
    if root is None:
        raise MalformedRecord("not XML: nothing in it", reason="undecodable")
    if root.getroottree().docinfo.doctype:
        raise MalformedRecord("a document type, which neither a feed nor an alert has", reason="invalid")
    return root


def alert_from(value: bytes) -> CapAlert:
    """Read a CAP document.

    Errors  MalformedRecord `undecodable`, `invalid`, `too_long`
    """
    root = tree_from(value)
    if local(root) != "alert" or not is_cap(root):
        raise MalformedRecord(f"<{local(root)[:40]}> is no CAP alert", reason="invalid")
    identifier, sender = text_in(root, "identifier"), text_in(root, "sender")
    sent_at = moment_in(root, "sent")
    alert = {name: text_in(root, name)[:40] for name in ("status", "msgType", "scope")}
    if not identifier or sent_at is None or not alert["status"] or not alert["msgType"]:
        wrong = "identifier, sent, status and msgType are needed"
        raise MalformedRecord(f"a CAP alert: {wrong}", reason="invalid", value=msgspec.json.encode(alert))
    try:
        infos = tuple(info_from(node) for node in children(root, "info"))
    except ValueError as error:
        raise MalformedRecord(f"a CAP alert: {error}", reason="invalid", value=msgspec.json.encode(alert)) from error
    if sum(len(area.points) for info in infos for area in info.areas) > MAX_POINTS:
        raise MalformedRecord(f"a CAP alert of more than {MAX_POINTS} points", reason="too_long")
    return CapAlert(
        identifier=identifier,
        sender=sender,
        sent_at=sent_at,
        status=alert["status"],
        message=alert["msgType"],
        scope=alert["scope"],
        restriction=text_in(root, "restriction"),
        addresses=text_in(root, "addresses"),
        references=tuple(references_in(text_in(root, "references"))) if alert["msgType"] != "Alert" else (),
        incidents=text_in(root, "incidents"),
        infos=infos,
    )


def references_in(text: str) -> Iterator[Reference]:
    """Yield the messages referred to, oldest first: `sender,identifier,sent`, parted by blanks."""
    triples = [parts for one in text.split() if len(parts := one.rsplit(",", 1)) == len(("who", "when"))]
    for who, sent in sorted(triples, key=lambda parts: parts[1])[:MAX_AREAS]:
        sender, _, identifier = who.partition(",")
        yield Reference(sender, identifier, sent)


def info_from(node: etree._Element) -> Info:
    """Read one <info>.

    Errors  ValueError when a position is none
    """
    return Info(
        language=text_in(node, "language") or "en-US",  # what CAP supposes
        event=text_in(node, "event"),
        categories=tuple(content(one) for one in children(node, "category")),
        responses=tuple(content(one) for one in children(node, "responseType")),
        urgency=text_in(node, "urgency"),
        severity=text_in(node, "severity"),
        certainty=text_in(node, "certainty"),
        codes=tuple(pairs_in(node, "eventCode")),
        effective_at=moment_in(node, "effective"),
        onset_at=moment_in(node, "onset"),
        ends_at=moment_in(node, "expires"),
        headline=text_in(node, "headline"),
        description=text_in(node, "description"),
        web=text_in(node, "web"),
        parameters=tuple(pairs_in(node, "parameter")),
        areas=tuple(area_from(one) for one in list(children(node, "area"))[:MAX_AREAS]),
    )


def area_from(node: etree._Element) -> Area:
    """Read one <area>.

    Errors  ValueError when a position is none
    """
    return Area(
        name=text_in(node, "areaDesc")[:200],
        geocodes=tuple(pairs_in(node, "geocode")),
        polygons=tuple(tuple(map(position, content(one).split())) for one in children(node, "polygon") if content(one)),
        circles=tuple(circle(content(one)) for one in children(node, "circle") if content(one)),
    )


def position(pair: str) -> tuple[float, float]:
    """Return the latitude and longitude of "lat,lon".

    Errors  ValueError when it is no position
    """
    lat, lon = (float(number) for number in pair.split(","))
    if not (abs(lat) <= MAX_LAT and abs(lon) <= MAX_LON):
        raise ValueError(f"no such position: {pair[:40]}")
    return lat, lon


def circle(text: str) -> tuple[float, float, float]:
    """Return the centre and the radius of "lat,lon km".

    Errors  ValueError when it is no circle
    """
    pair, radius = text.split()
    if not 0 <= float(radius) <= math.pi * EARTH_KM:
        raise ValueError(f"no such radius: {radius[:40]}")
    return *position(pair), float(radius)


def bytes_from(alert: CapAlert, zone: tzinfo = UTC) -> bytes:
    """Return a message as a document, its times by the clock of a zone; what is empty is left out.

    Errors  ValueError where a text holds what XML cannot
    """
    root = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})
    before = {
        "identifier": alert.identifier,
        "sender": alert.sender,
        "sent": moment_text(alert.sent_at, zone),
        "status": alert.status,
        "msgType": alert.message,
        "scope": alert.scope,
        "restriction": alert.restriction,
        "addresses": alert.addresses,
        "references": " ".join(map(str, alert.references)),
        "incidents": alert.incidents,
    }
    _add(root, list(before.items()))
    for info in alert.infos:
        _add_info(_sub(root, "info"), info, zone)
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return document


def _add_info(node: etree._Element, info: Info, zone: tzinfo) -> None:
    _add(node, [("language", info.language)])
    _add(node, [("category", one) for one in info.categories])
    _add(node, [("event", info.event)])
    _add(node, [("responseType", one) for one in info.responses])
    _add(node, [("urgency", info.urgency), ("severity", info.severity), ("certainty", info.certainty)])
    _add_pairs(node, "eventCode", info.codes)
    times = {"effective": info.effective_at, "onset": info.onset_at, "expires": info.ends_at}
    _add(node, [(name, moment_text(moment, zone)) for name, moment in times.items() if moment])
    _add(node, [("headline", info.headline), ("description", info.description), ("web", info.web)])
    _add_pairs(node, "parameter", info.parameters)
    for area in info.areas:
        drawn = _sub(node, "area")
        _add(drawn, [("areaDesc", area.name)])
        _add(drawn, [("polygon", " ".join(f"{lat:.5f},{lon:.5f}" for lat, lon in one)) for one in area.polygons])
        _add(drawn, [("circle", f"{lat:.5f},{lon:.5f} {km:.3f}") for lat, lon, km in area.circles])
        _add_pairs(drawn, "geocode", area.geocodes)


def _add(node: etree._Element, texts: Sequence[tuple[str, str]]) -> None:
    for name, text in texts:
        if text:
            _sub(node, name).text = text


def _add_pairs(node: etree._Element, name: str, pairs: Pairs) -> None:
    for value_name, value in pairs:
        pair = _sub(node, name)
        _sub(pair, "valueName").text = value_name
        _sub(pair, "value").text = value or None


def _sub(node: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(node, f"{{{NAMESPACE}}}{name}")


def moment_text(moment: datetime, zone: tzinfo) -> str:
    """Return a moment as CAP wants it: to the second, with its offset in digits."""
    return moment.astimezone(zone).isoformat(timespec="seconds")


def local(node: etree._Element) -> str:
    """Return an element's name without its namespace; "" for what is no element."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def is_cap(node: etree._Element) -> bool:
    """Tell whether an element is one of CAP."""
    return (etree.QName(node).namespace or "").startswith(NAMESPACES)


def children(node: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield the elements of this name right below one."""
    return (child for child in node if local(child) == name)


def content(node: etree._Element) -> str:
    """Return the words of an element."""
    return (node.text or "").strip()


def text_in(node: etree._Element, name: str) -> str:
    """Return the words of the first element of this name right below one, "" without one."""
    return next((content(child) for child in children(node, name)), "")


def pairs_in(node: etree._Element, name: str) -> Iterator[tuple[str, str]]:
    """Yield the valueName and value of each element of this name."""
    return ((text_in(child, "valueName"), text_in(child, "value")) for child in children(node, name))


def moment_in(node: etree._Element, name: str) -> datetime | None:
    """Return the moment that an element names, or None."""
    return moment_from(text_in(node, name))


def moment_from(text: str) -> datetime | None:
    """Return the moment that a date of a feed or an alert means, or None; one without a zone is in UTC."""
    try:
        moment = datetime.fromisoformat(text) if text[:4].isdecimal() else parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
