"""Mapping: where, in the JSON that another program sends, the fields of a post or of a notice stand.

Shape   one value of theirs in, one plain post or notice out, as JSON; what the mapping does not name is never read.
        Whether the outcome is a good post or notice is checked where those are read, not here
Units   dates come out in ISO 8601, with a zone; what no field can be made of is left as it is, and refused later
Errors  SettingsError when a mapping cannot be used: it names the file, the key and the mend; MalformedRecord
        `undecodable` when a value is not JSON
"""

import math
import re
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from connectors.sources.plain import FIELDS as POST_FIELDS
from records import MalformedRecord, SettingsError

DateFormat = Literal["iso", "day_first", "unix", "unix_ms"]
Scalar = str | int | float | bool
READY: Final = Path(__file__).with_name("mappings")
"""Where the mappings stand that we bring."""

NOTICE_FIELDS: Final = frozenset(
    {"id", "site", "phenomenon", "starts_at", "ends_at", "issued_at", "text", "commune", "url"}
)
_TARGETS: Final = {
    "post": (POST_FIELDS - {"geo", "media"}) | {"lat", "lon", "provenance"},
    "notice": NOTICE_FIELDS,
}
_NEEDED: Final = {"post": ("id", "ts", "text"), "notice": ("site", "phenomenon", "starts_at")}
_GEO: Final = ("lat", "lon", "provenance")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d{1,6})\]")
_PATH = re.compile(r"[^.\[\]{}]+(?:\[\d{1,6}\])*(?:\.[^.\[\]{}]+(?:\[\d{1,6}\])*)*")
_HOLE = re.compile(r"\{([^{}]+)\}")
_PIECE = re.compile(r"\{(?P<hole>[^{}]+)\}|\[(?P<optional>(?:[^\[\]{}]|\{[^{}]*\})*)\]")
_DAY_FIRST = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y %Hh%M", "%d/%m/%Y")


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one field is made: from a path, from a template or from nothing but itself."""

    path: str | tuple[str, ...] = ()  # where it stands, "author.name" or "media[0].alt"; of several, the first there
    template: str = ""  # text around paths and parts: "{kind}[ in {place}][: {comment}]", […] where all of it is there
    constant: Scalar | None = None
    table: dict[str, Scalar] = {}  # their words to ours, whatever the case
    default: Scalar | None = None  # where it is not there, or not in the table
    date: DateFormat | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The places to look at, in order."""
        return (self.path,) if isinstance(self.path, str) else self.path


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one sender's values become posts or notices."""

    fields: dict[str, Field]
    makes: Literal["post", "notice"] = "post"
    items: str = ""  # where the list of values stands; "": the body is one value, or a list of them
    zone: str = "UTC"  # of dates that name none
    parts: dict[str, Field] = {}  # pieces of templates that need a table or a date of their own


def mapping_from(named: str | Path) -> Mapping:
    """Return the mapping in a file, or the one that we bring under this name.

    Errors  SettingsError when there is none or it cannot be used
    """
    path = READY / f"{named}.toml" if re.fullmatch(r"[a-z0-9_]+", str(named)) else Path(named)
    table: dict[str, Any] = {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        mapping = msgspec.convert(table, Mapping)
    except OSError as error:
        ready = ", ".join(sorted(one.stem for one in READY.glob("*.toml")))
        raise SettingsError(
            f"{path}: cannot read the mapping: {error.strerror}; name a file or one of {ready}"
        ) from error
    except msgspec.ValidationError as error:
        what = f"{_key_of(table)}{error}"
        raise SettingsError(f"{path}: {what}; see docs/sources/webhook.md for the keys of a mapping") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is no TOMLDecodeError
        raise SettingsError(f"{path}: not TOML: {error}; mend that line") from error
    wrong = why_unusable(mapping)
    if wrong:
        raise SettingsError(f"{path}: {wrong}")
    return mapping


def _key_of(table: dict[str, Any]) -> str:
    """Return the key of the field that is no field, "" where it is not one of them that is wrong."""
    for group in ("fields", "parts"):
        fields = table.get(group)
        for name, field in fields.items() if isinstance(fields, dict) else ():
            try:
                msgspec.convert(field, Field)
            except msgspec.ValidationError:
                return f"{group}.{name}: "
    return ""


def why_unusable(mapping: Mapping) -> str | None:
    """Return what is wrong with a mapping and what would mend it, or None."""
    known = _TARGETS[mapping.makes]
    for name in mapping.fields:
        if name not in known:
            return f"fields.{name}: a {mapping.makes} has no such field; it has {', '.join(sorted(known))}"
    for name in _NEEDED[mapping.makes]:
        if name not in mapping.fields:
            return f"fields.{name} is missing: a {mapping.makes} needs it; add [fields.{name}]"
    if ("lat" in mapping.fields) != ("lon" in mapping.fields):
        return "fields.lat and fields.lon: one without the other is no position; give both or none"
    if mapping.items and not _PATH.fullmatch(mapping.items):
        return f'items = "{mapping.items}": not a path; write names parted by dots, such as "data.items"'
    if zone_of(mapping.zone) is None:
        return f'zone = "{mapping.zone}": no such time zone; write one such as "Europe/Paris"'
    groups = (("fields", mapping.fields), ("parts", mapping.parts))
    found = (_why_field(f"{group}.{name}", field) for group, fields in groups for name, field in fields.items())
    return next((wrong for wrong in found if wrong), None)


def _why_field(key: str, field: Field) -> str | None:
    ways = [bool(field.paths), bool(field.template), field.constant is not None]
    if sum(ways) != 1:
        return f"{key}: give exactly one of path, template and constant"
    for path in (*field.paths, *_HOLE.findall(field.template)):
        if not _PATH.fullmatch(path):
            return f'{key}: "{path}" is not a path; write names parted by dots, with [0] for the first of a list'
    if re.search(r"[{}]", _HOLE.sub("", field.template)):
        return f"{key}.template: a brace without its fellow"
    return None


@cache
def zone_of(name: str) -> tzinfo | None:
    """Return a time zone by its name, or None where there is none."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # a name that is not there, that is a folder, that leaves the tree
        return None


def values_of(body: bytes, mapping: Mapping) -> Sequence[bytes] | None:
    """Return the values that stand where the mapping says, or None when there is no list there.

    Errors  MalformedRecord `undecodable` when the body is not JSON
    """
    found = at_path(_decoded(body), mapping.items)
    return [msgspec.json.encode(value) for value in found] if isinstance(found, list) else None


def mapped(value: bytes, mapping: Mapping) -> bytes:
    """Return the plain post or the notice that a value holds, as JSON and unchecked.

    Errors  MalformedRecord `undecodable` when the value is not JSON
    """
    decoded = _decoded(value)
    made: dict[str, Any] = {}
    for name, field in mapping.fields.items():
        found = made_by(field, decoded, mapping)
        if found is not None:
            made[name] = found
    geo = {name: made.pop(name) for name in _GEO if name in made}
    if "lat" in geo and "lon" in geo:
        made["geo"] = {name: found if name == "provenance" else number_from(found) for name, found in geo.items()}
    return msgspec.json.encode(made)


def made_by(field: Field, value: object, mapping: Mapping) -> Scalar | None:
    """Return what a field becomes, or None where there is nothing to make it of."""
    if field.constant is not None:
        return field.constant
    if field.template:
        found: Scalar | None = filled(field.template, value, mapping) or None
    else:
        found = next((one for path in field.paths if (one := scalar_at(value, path)) is not None), None)
    if found is not None and field.table:
        words = {word.casefold(): ours for word, ours in field.table.items()}
        found = words.get(str(found).strip().casefold(), field.default if field.default is not None else found)
    if found is None:
        return field.default
    return iso_from(found, field.date, mapping.zone) if field.date else found


def filled(template: str, value: object, mapping: Mapping) -> str:
    """Return a template with its holes filled; what stands in [ ] only where all its holes can be."""

    def word(name: str) -> str:
        part = mapping.parts.get(name)
        found = scalar_at(value, name) if part is None else made_by(part, value, mapping)
        return "" if found is None else str(found).strip()

    def piece(match: re.Match[str]) -> str:
        if match["hole"]:
            return word(match["hole"])
        names = _HOLE.findall(match["optional"])
        if not names:
            return match[0]
        is_whole = all(word(name) for name in names)
        return _HOLE.sub(lambda hole: word(hole[1]), match["optional"]) if is_whole else ""

    return _PIECE.sub(piece, template).strip()


def at_path(value: object, path: str) -> object:
    """Return what stands at a path, or None."""
    for name, index in _STEP.findall(path):
        if index:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def scalar_at(value: object, path: str) -> Scalar | None:
    """Return the word or number at a path; of a list of them, all, parted by commas; else None."""
    found = at_path(value, path)
    if isinstance(found, list):
        words = [str(one) for one in found if isinstance(one, str | int | float) and not isinstance(one, bool)]
        return ", ".join(words) or None
    if isinstance(found, str):
        return found if found.strip() else None
    return found if isinstance(found, bool | int | float) else None


def number_from(found: Scalar) -> Scalar:
    """Return a number, also one written with a decimal comma; anything else as it is."""
    try:
        number = float(found.replace(",", ".")) if isinstance(found, str) else float(found)
    except (ValueError, OverflowError):
        return found
    return number if math.isfinite(number) else str(found)


def iso_from(found: Scalar, date: DateFormat, zone: str) -> Scalar:
    """Return a date in ISO 8601 with its zone; what is no such date as it is."""
    moment = moment_from(found, date, zone)
    return found if moment is None else moment.isoformat()


def moment_from(found: Scalar, date: DateFormat, zone: str) -> datetime | None:
    """Return the moment that a date means, or None when it is none."""
    try:
        if date in ("unix", "unix_ms"):
            seconds = float(found) / (1000 if date == "unix_ms" else 1)
            return datetime.fromtimestamp(seconds, UTC)
        text = str(found).strip()
        moment = datetime.fromisoformat(text) if date == "iso" else _day_first(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.replace(tzinfo=zone_of(zone)) if moment.tzinfo is None else moment


def _day_first(text: str) -> datetime:
    for form in _DAY_FIRST:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007  the zone is the mapping's
        except ValueError:
            continue
    raise ValueError(text)


def _decoded(value: bytes) -> object:
    try:
        return msgspec.json.decode(value)
    except (ValueError, RecursionError) as error:  # also of a number of thousands of digits
        raise MalformedRecord(str(error), reason="undecodable") from error
