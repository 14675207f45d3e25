"""Feeds: an RSS or Atom document taken apart, also a broken one; a hostile one is refused before it is parsed.

Errors  MalformedRecord when it is no feed, or would keep the parser busy for minutes
Source  RSS 2.0 (rssboard.org), Atom (RFC 4287), GeoRSS, W3C Basic Geo
"""

import calendar
import codecs
import html
import io
import re
import sys
import unicodedata
import xml.sax
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urljoin

import feedparser

from connectors.sources.plain import PlainGeo, geo_from
from records import Geo, MalformedRecord

MAX_MARKS = 150_000
"""No more tags and entities than this in a document: parsing takes some 30 microseconds each."""

MAX_WORDS_SQUARED = 100_000_000
"""The sum of the squared lengths of the long words of a document; a second of feedparser, at worst."""

MAX_PROLOG_BYTES = 8192
MAX_SUMMARY = 300
"""An excerpt, no more: some publishers put whole articles into their feeds."""

MAX_TITLE = 500
MAX_LINK = 2048

_INLINE = re.compile(r"</?(?:a|abbr|acronym|b|big|em|font|i|q|small|span|strong|sub|sup|u)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_SPACES = re.compile(rb"\s{64,}")
_LONG_WORD = re.compile(rb"[\w.+\x80-\xff-]{64,}")
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9A-Fa-f]{1,20})|([0-9]{1,20}));")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_DECLARATION = re.compile(rb"<\?[^>]{0,512}>")
_ELEMENT = re.compile(rb"<\w")
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, which begins alike
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_END = re.compile(rb"</(?:[a-z]+:)?(?:rss|feed|rdf)\s*>", re.IGNORECASE)


class Entry(NamedTuple):
    """What is read of an entry; nothing else of it is looked at, its author least of all."""

    guid: str
    link: str
    title: str
    summary: str
    said_at: datetime | None
    geo: Geo | None

    @property
    def text(self) -> str:
        """The headline and the excerpt."""
        return "\n".join(part for part in (self.title, self.summary) if part)


class Document(NamedTuple):
    """What a feed held when it was asked."""

    entries: tuple[Entry, ...] = ()
    lang: str = ""
    is_whole: bool = True  # else the same bytes may look different next time, and must not be answered by a 304
    etag: str = ""
    modified: str = ""


def document_from(body: bytes, *, content_type: str = "", url: str = "") -> Document:
    """Take a document apart; broken ones as far as they can be read.

    Errors  MalformedRecord when it is no feed; its value is empty, for whom it names cannot be seen
    """
    try:
        return parsed_from(body, content_type=content_type, url=url)
    except MalformedRecord:
        raise
    except Exception as error:  # feedparser lets out whatever a broken document makes it meet
        raise MalformedRecord(f"cannot be parsed: {error!r}"[:200], reason="undecodable") from error


def parsed_from(body: bytes, *, content_type: str, url: str) -> Document:
    """Let feedparser take a document apart, and keep what we read of it."""
    tame, media_type = decoded(tamed(body), content_type)
    headers = {"content-type": media_type, "content-location": url}
    parsed = feedparser.parse(
        io.BytesIO(tame), response_headers=headers, sanitize_html=True, resolve_relative_uris=False
    )
    if not parsed.get("version"):
        raise MalformedRecord(f"no feed: {len(body)} bytes of {content_type[:60]!r}", reason="undecodable")
    is_broken = isinstance(parsed.get("bozo_exception"), xml.sax.SAXParseException)
    is_cut = is_broken and not _END.search(tame[-4096:])
    found = parsed["entries"][:-1] if is_cut else parsed["entries"]  # the last one may miss half of its words
    entries = tuple(entry_from(entry, url=url) for entry in found)
    return Document(entries, words(parsed["feed"].get("language"))[:35], not is_cut)


def tamed(body: bytes) -> bytes:
    """Return a document that cannot keep a parser busy for minutes; no honest one is changed but in its white space.

    feedparser's patterns take a time that grows with the square of a long word, run of spaces or prolog, and hold up
    the whole process meanwhile.

    Errors  MalformedRecord when there is nothing to be done
    """
    encoding = next((name for bom, name in _BOMS if body.startswith(bom)), "")
    if encoding:
        text = body.decode(encoding, "replace").encode("utf-8", "replace")
        body = b"<?xml version='1.0' encoding='utf-8'?>" + (text[text.find(b">") + 1 :] if text[:2] == b"<?" else text)
    body = _SPACES.sub(b" ", body.removeprefix(codecs.BOM_UTF8).lstrip())
    if body.count(b"<") + body.count(b"&") > MAX_MARKS:
        raise MalformedRecord(f"more than {MAX_MARKS} tags and entities", reason="too_long")
    if sum(len(word.decode("utf-8", "replace")) ** 2 for word in _LONG_WORD.findall(body)) > MAX_WORDS_SQUARED:
        raise MalformedRecord("words without an end", reason="too_long")
    declaration = _DECLARATION.match(body)
    if declaration:
        body = declaration[0] + b"\n" + body[declaration.end() :]
    begin = _ELEMENT.search(body)
    if begin is None or begin.start() > MAX_PROLOG_BYTES or (body.startswith(b"<?") and not declaration):
        raise MalformedRecord(f"no feed: {len(body)} bytes without an element to begin with", reason="undecodable")
    return _REFERENCE.sub(possible, body)


def possible(reference: re.Match[bytes]) -> bytes:
    """Return a reference to a character, or to the one that stands for what is none: feedparser would give up."""
    digits, base = (reference[1], 16) if reference[1] else (reference[2], 10)
    number = int(digits, base)
    is_character = number <= sys.maxunicode and unicodedata.category(chr(number)) != "Cs"
    return reference[0] if is_character else b"&#65533;"


def decoded(body: bytes, content_type: str) -> tuple[bytes, str]:
    """Return a document and the media type to parse it by: what is UTF-8 is taken for it, whatever is declared.

    Text in another encoding is hardly ever valid UTF-8, and publishers often declare it wrongly; a few damaged bytes
    do not make it Latin-1.
    """
    if body.isascii():
        return body, content_type
    text = body.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    if damaged * 2 > sum(not letter.isascii() for letter in text):
        return body, content_type
    return text.encode(), "application/xml; charset=utf-8"


def entry_from(entry: Any, *, url: str = "") -> Entry:
    """Return what is read of an entry as feedparser gives it: these fields and no others."""
    summary = plain(entry, "summary")
    return Entry(
        guid=words(entry.get("id"))[:MAX_LINK],
        link=link_from(url, words(entry.get("link"))),
        title=cut(plain(entry, "title"), MAX_TITLE),
        summary=cut(summary, MAX_SUMMARY),
        said_at=said_at_in(entry),
        geo=place_in(entry),
    )


def link_from(url: str, link: str) -> str:
    """Return the whole address of an entry, "" without one."""
    try:
        return urljoin(url, link) if link else ""
    except ValueError:
        return ""


def plain(entry: Any, name: str) -> str:
    """Return a text field without its HTML."""
    text = words(entry.get(name))
    detail = entry.get(f"{name}_detail") or {}
    if detail.get("type") == "text/plain":
        return text
    return words(html.unescape(_TAG.sub(" ", _INLINE.sub("", text))))


def words(value: object) -> str:
    """Return a text in one line, as it may stand in a record; "" for anything else."""
    if not isinstance(value, str):
        return ""
    text = _CONTROLS.sub(" ", value.encode("utf-8", "replace").decode("utf-8"))  # no halves of surrogate pairs
    return unicodedata.normalize("NFC", " ".join(text.split()))


def cut(text: str, most: int) -> str:
    """Return a text of so many characters at most, cut between words."""
    if len(text) <= most:
        return text
    return text[: most - 1].rpartition(" ")[0].rstrip() + "…" if " " in text[: most - 1] else text[: most - 1] + "…"


def said_at_in(entry: Any) -> datetime | None:
    """Return when an entry was published, or last changed."""
    for name in ("published_parsed", "updated_parsed"):
        parsed = entry[name] if name in entry else None  # noqa: SIM401  `get` would give one date for the other
        if parsed:
            try:
                return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
            except (ValueError, OverflowError, OSError, TypeError):
                continue
    return None


def place_in(entry: Any) -> Geo | None:
    """Return the place that an entry is about, by GeoRSS or W3C Basic Geo; one that is not on Earth is none."""
    where = entry.get("where") or {}
    try:
        if where.get("type") == "Point":
            lon, lat = where["coordinates"][:2]
        else:
            lat, lon = float(entry.get("geo_lat", "nan")), float(entry.get("geo_long", "nan"))
        return geo_from(PlainGeo(lat=lat, lon=lon, provenance="place"))
    except (ValueError, TypeError, KeyError):
        return None
