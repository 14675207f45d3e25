"""Atom: a feed as a document, with positions in GeoRSS-Simple where entries have one.

Units   latitude first; radii in metres, as GeoRSS has them
Source  RFC 4287; https://docs.ogc.org/cs/17-002r1/17-002r1.html (GeoRSS 1.0)
"""

import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from lxml import etree

ATOM: Final = "http://www.w3.org/2005/Atom"
GEORSS: Final = "http://www.georss.org/georss"
ATOM_TYPE: Final = "application/atom+xml"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Circle(NamedTuple):
    """Where something is, and how far around."""

    lat: float
    lon: float
    radius_m: float


class Entry(NamedTuple):
    """One entry of a feed."""

    id: str
    title: str
    updated_at: datetime
    content: str
    link: str = ""
    link_type: str = ""
    categories: tuple[str, ...] = ()
    place: str = ""
    circle: Circle | None = None


def feed_from(entries: Sequence[Entry], *, id: str, title: str, link: str, updated_at: datetime) -> bytes:  # noqa: A002
    """Return a feed as a document; `link` is its own address, "" where it has none."""
    root = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM, "georss": GEORSS})
    _add(root, "id", id)
    _add(root, "title", title)
    _add(root, "updated", _moment(updated_at))
    _add(_add(root, "author"), "name", "Vigie")
    if link:
        _add(root, "link", rel="self", type=ATOM_TYPE, href=link)
    for entry in entries:
        _add_entry(_add(root, "entry"), entry)
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return document


def _add_entry(node: etree._Element, entry: Entry) -> None:
    _add(node, "id", entry.id)
    _add(node, "title", entry.title)
    _add(node, "updated", _moment(entry.updated_at))
    if entry.link:
        _add(node, "link", rel="alternate", href=entry.link, **({"type": entry.link_type} if entry.link_type else {}))
    for term in entry.categories:
        _add(node, "category", term=term)
    _add(node, "content", entry.content, type="text")
    if entry.place:
        _add_georss(node, "featurename", entry.place)
    if entry.circle:
        _add_georss(node, "point", f"{entry.circle.lat:.5f} {entry.circle.lon:.5f}")
        _add_georss(node, "radius", f"{entry.circle.radius_m:.0f}")


def _add(node: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
    child = etree.SubElement(node, f"{{{ATOM}}}{name}", {key: in_xml(value) for key, value in attributes.items()})
    child.text = in_xml(text) or None
    return child


def _add_georss(node: etree._Element, name: str, text: str) -> None:
    etree.SubElement(node, f"{{{GEORSS}}}{name}").text = in_xml(text)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def in_xml(text: str) -> str:
    """Return a text without what XML cannot hold, and without blanks around it, which XML does not keep for sure."""
    return _NOT_XML.sub("", text).strip()


def urn_of(*names: str) -> str:
    """Return an id for a feed or an entry: the same for the same names, always and everywhere."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, '/'.join(('vigie', *names)))}"
