"""Operator notices: what an industrial site tells its neighbours; it explains what people see, and silences nothing.

Shape   a notice `{"site","phenomenon","starts_at","ends_at"?,"id"?,"issued_at"?,"text"?,"commune"?,"url"?}` gives one
        bulletin; a table of them, kept by a person in a spreadsheet, is read again whenever it changes
Units   times in ISO 8601 or day first (29/11/2026 14:05), in the zone of the sites where they name none; radius in km
Errors  MalformedRecord for a notice or a row: it names file, line and mend; SourceUnavailable while the file cannot be
        read. Names, telephone numbers and e-mail addresses of contacts are never read, and are masked in the text
"""

import asyncio
import hashlib
import re
import unicodedata
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from connectors.contract import Capabilities, Reading
from connectors.cursors import number_in
from connectors.sources.mapping import NOTICE_FIELDS, moment_from, zone_of
from connectors.sources.plain import MAX_LAT, MAX_LON, is_link
from connectors.sources.recorded import Line, cells_of, next_row
from records import Bulletin, Clock, MalformedRecord, Place, SettingsError, SourceUnavailable
from records.bulletin import BulletinKind, Phenomenon

MAX_FILE_BYTES: Final = 4 << 20
MAX_ROWS: Final = 5_000
MAX_TEXT: Final = 4_000
MAX_NAME: Final = 200
MAX_RADIUS_KM: Final = 500

WORDS: Final[Mapping[str, str]] = {
    "flare": "torche",
    "noise": "bruit",
    "odour": "odeur",
    "smoke": "fumée",
    "exercise": "exercice",
    "siren_test": "essai de sirène",
    "maintenance": "maintenance",
    "incident": "incident",
}
"""The phenomena, and how they are told."""

_PHENOMENA: Final[Mapping[str, str]] = {
    **{name: name for name in WORDS},
    "torche": "flare",
    "torchage": "flare",
    "flaring": "flare",
    "bruit": "noise",
    "bruits": "noise",
    "odeur": "odour",
    "odeurs": "odour",
    "odor": "odour",
    "fumee": "smoke",
    "fumees": "smoke",
    "panache": "smoke",
    "exercice": "exercise",
    "drill": "exercise",
    "exercice_poi": "exercise",
    "exercice_ppi": "exercise",
    "sirene": "siren_test",
    "siren": "siren_test",
    "essai_de_sirene": "siren_test",
    "essai_sirene": "siren_test",
    "essai_sirenes": "siren_test",
    "travaux": "maintenance",
    "arret": "maintenance",
    "redemarrage": "maintenance",
}
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "numero", "reference", "ref"),
    "site": ("site", "etablissement", "exploitant", "entreprise", "usine", "operator", "company", "plant"),
    "phenomenon": ("phenomenon", "phenomene", "nature", "type"),
    "starts_at": ("starts_at", "start", "debut", "date_debut", "date_de_debut", "begin", "from"),
    "ends_at": ("ends_at", "end", "expected_end", "fin", "fin_prevue", "date_fin", "date_de_fin", "until"),
    "issued_at": ("issued_at", "issued", "publie_le", "date_publication", "published"),
    "text": ("text", "texte", "message", "description", "commentaire", "comment"),
    "commune": ("commune", "insee", "code_insee", "code_commune"),
    "url": ("url", "lien", "link"),
}
_ANNOUNCED: Final[Mapping[str, Phenomenon]] = {
    "flare": "flare",
    "noise": "noise",
    "odour": "odour",
    "smoke": "smoke",
    "maintenance": "maintenance",
    "incident": "incident",
}
_NEEDED: Final = {"site": "site", "phenomenon": "phénomène", "starts_at": "début"}
_INSEE = re.compile(r"(?:\d{2}|2[AB])\d{3}")
_AREA = re.compile(r"\d{2,3}|2[AB]")
_PHONE = re.compile(r"(?<!\d)(?:(?:\+|00)\d{2}|0)[\s.\-/()]*\d(?:[\s.\-/()]*\d){7,9}(?!\d)")
_ENDS = re.compile(rb"\r\n|\n|\r")
_MAIL = re.compile(r"[^\s@<>,;:()]+@[^\s@<>,;:()]+\.[A-Za-z]{2,}")


class Site(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a site stands and how far from it its noise, light or smoke is noticed."""

    lat: float
    lon: float
    radius_km: float = 2.0
    insee: str = ""


@dataclass(frozen=True, kw_only=True)
class Sites:
    """The sites that may state something, and what to suppose where they do not say."""

    known: Mapping[str, Site] = field(default_factory=dict)
    area: str = ""  # the département of notices that name no commune and no site of ours
    zone: str = "Europe/Paris"

    def __post_init__(self) -> None:
        for name, site in self.known.items():
            if not (abs(site.lat) <= MAX_LAT and abs(site.lon) <= MAX_LON and 0 < site.radius_km <= MAX_RADIUS_KM):
                raise SettingsError(
                    f'sites."{name}": lat {site.lat}, lon {site.lon}, radius_km {site.radius_km} is no place'
                )
            if site.insee and not _INSEE.fullmatch(site.insee):
                raise SettingsError(f'sites."{name}".insee = "{site.insee}": write the five signs of a commune\'s code')
        if self.area and not _AREA.fullmatch(self.area):
            raise SettingsError(f'area = "{self.area}": write the code of a département, such as "76"')
        if zone_of(self.zone) is None:
            raise SettingsError(f'zone = "{self.zone}": no such time zone; write one such as "Europe/Paris"')

    def named(self, name: str) -> Site | None:
        """Return the site of this name, however it is written."""
        wanted = folded(name)
        return next((site for known, site in self.known.items() if folded(known) == wanted), None)


class Notice(msgspec.Struct, frozen=True):
    """One notice as it comes; other fields are not read."""

    site: str
    phenomenon: str
    starts_at: str
    ends_at: str | None = None
    id: str | int = ""
    issued_at: str | None = None
    text: str | None = None
    commune: str | int | None = None
    url: str | None = None


_decoder = msgspec.json.Decoder(Notice)


def notice_from(value: bytes, *, source: str, received_at: datetime, sites: Sites) -> Bulletin:
    """Return the bulletin that a notice in JSON is.

    Errors  MalformedRecord: `undecodable`, `invalid`, or `too_long` for its text
    """
    try:
        notice = _decoder.decode(value)
    except msgspec.ValidationError as error:
        raise MalformedRecord(str(error), reason="invalid", value=scrubbed(value)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRecord(str(error), reason="undecodable") from error
    try:
        return bulletin_from(notice, source=source, received_at=received_at, sites=sites)
    except MalformedRecord as error:
        raise MalformedRecord(str(error), reason=error.reason, value=scrubbed(value)) from error


def bulletin_from(notice: Notice, *, source: str, received_at: datetime, sites: Sites) -> Bulletin:
    """Turn a notice into a bulletin.

    Errors  MalformedRecord `invalid` or `too_long`, saying what would mend it
    """
    phenomenon = _PHENOMENA.get(folded(notice.phenomenon))
    if phenomenon is None:
        raise _bad(f'phenomenon "{notice.phenomenon[:40]}"; write one of {", ".join(WORDS)}')
    name = masked(notice.site).strip()
    if not 0 < len(name) <= MAX_NAME:
        raise _bad("the site has no name, or one too long; name the site")
    text = masked(notice.text or "").strip()
    if len(text) > MAX_TEXT:
        raise MalformedRecord(f"a text of {len(text)} characters; shorten it to {MAX_TEXT}", reason="too_long")
    starts_at, ends_at = _moment("starts_at", notice.starts_at, sites), _moment("ends_at", notice.ends_at, sites)
    if starts_at is None:
        raise _bad("starts_at is empty; write when it starts")
    if ends_at is not None and ends_at < starts_at:
        raise _bad("it ends before it starts; mend one of the two")
    site = sites.named(name)
    insee = _insee(notice.commune) or (site.insee if site else "")
    area = area_of(insee) or sites.area
    if not area:
        raise _bad("no commune, and no area in the settings; write the commune's INSEE code")
    told = f"{name} : {WORDS[phenomenon]}"
    kind: BulletinKind = "operator_notice"
    if phenomenon in ("exercise", "siren_test"):
        kind = "exercise" if phenomenon == "exercise" else "siren_test"
    return Bulletin(
        bulletin_id=id_of(notice, source),
        source=source,
        kind=kind,
        area=area,
        issued_at=_moment("issued_at", notice.issued_at, sites) or received_at,
        received_at=received_at,
        text=unicodedata.normalize("NFC", f"{told}. {text}" if text else told),
        phenomenon=_ANNOUNCED.get(phenomenon),
        place=place_of(name, site, insee, area) if site else None,
        starts_at=starts_at,
        ends_at=ends_at,
        url=notice.url if is_link(notice.url) else None,
    )


def id_of(notice: Notice, source: str) -> str:
    """Return a notice's identity: its own id, or else what it says of whom from when; so a new end mends the old."""
    own = str(notice.id).strip()
    named = own or f"{folded(notice.site)}\n{folded(notice.phenomenon)}\n{notice.starts_at.strip()}"
    return f"{source}:{hashlib.sha256(named.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def place_of(name: str, site: Site, insee: str, area: str) -> Place:
    """Return where a known site stands."""
    return Place(
        place_id=f"local:site:{folded(name)}",
        name=name,
        lat=site.lat,
        lon=site.lon,
        radius_km=site.radius_km,
        level="site",
        confidence=1.0,
        source="text",
        reasons=("named by its operator",),
        country="FR",
        insee=insee or None,
        dep=area,
    )


def area_of(insee: str) -> str:
    """Return the département of a commune's code; "" without one."""
    return insee[:3] if insee.startswith(("97", "98")) else insee[:2]


def folded(name: str) -> str:
    """Return a name without case, accents and signs: `Phénomène (type)` is `phenomene_type`."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
    return "_".join(re.findall(r"[^\W_]+", bare.casefold()))


def masked(text: str) -> str:
    """Return a text without telephone numbers and e-mail addresses."""
    return _PHONE.sub("…", _MAIL.sub("…", text))


def scrubbed(value: bytes) -> bytes:
    """Return a bad notice as it may leave the connector: our fields only, masked; nothing where it is not JSON."""
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return b""
    if not isinstance(found, dict):
        return b""
    kept = {name: masked(str(found[name]))[:MAX_TEXT] for name in sorted(NOTICE_FIELDS - {"url"}) if name in found}
    return msgspec.json.encode(kept)


def _moment(name: str, written: str | None, sites: Sites) -> datetime | None:
    if written is None or not written.strip():
        return None
    for form in ("iso", "day_first"):
        moment = moment_from(written, form, sites.zone)
        if moment is not None:
            return _in_utc(moment)
    raise _bad(f'{name} "{written[:40]}" is no date; write it as 2026-11-29T14:05 or 29/11/2026 14:05')


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise _bad("a date at the end of time; mend it") from error


def _insee(commune: str | int | None) -> str:
    if commune is None or commune == "":
        return ""
    code = str(commune).strip().upper()
    code = code.zfill(5) if code.isdecimal() else code  # a spreadsheet takes the leading zero away
    if not _INSEE.fullmatch(code):
        raise _bad(f'commune "{masked(code)[:40]}" is no INSEE code; write its five signs, such as 76351')
    return code


def _bad(detail: str) -> MalformedRecord:
    return MalformedRecord(masked(detail), reason="invalid")


class Row(NamedTuple):
    """One row of a table, or what is wrong with it; `line` is its last, `digest` stands for what it says."""

    line: int
    digest: bytes
    found: Bulletin | MalformedRecord


class Stand(NamedTuple):
    """Where we stand in a table: how many versions of it we saw, which one this is, and the last line read of it."""

    version: int = 0
    digest: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.version} {self.digest} {self.line}" if self.digest else ""


class NoticeFile:
    """Reads notices from a table, row by row, and those that changed whenever it is saved again.

    A row that is taken out ends nothing: to withdraw a notice, write its end.
    """

    is_trusted = True
    capabilities = Capabilities(
        carries="bulletins", edits=True, positions=True, backfill=timedelta.max, every=timedelta(seconds=30)
    )

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        sites: Sites | None = None,
        name: str = "notices",
        every_secs: float = 30.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = name
        self.capabilities = self.capabilities.asked_every(every_secs)
        self._path = path
        self._clock = clock
        self._sites = sites or Sites()
        self._every_secs = every_secs
        self._sleep = sleep

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield the rows of the table, then those of each new version; a look without news is a sign of life."""
        stand = stand_from(after)
        told: frozenset[bytes] = frozenset()  # what the version before said, as far as we read it
        seen: object = None
        while True:
            stat = await asyncio.to_thread(self._stat)
            content = b"" if stat == seen else await asyncio.to_thread(self._content)
            seen = stat
            digest = hashlib.sha256(content).hexdigest()[:16] if content else stand.digest
            if digest != stand.digest:
                stand = Stand(stand.version + 1, digest)
            has_news = False
            rows = self._rows(content) if content else []
            for row in rows:
                if row.line > stand.line and row.digest not in told:
                    stand, has_news = stand._replace(line=row.line), True
                    yield Reading(str(stand), row.found)
            if rows:
                told = frozenset(row.digest for row in rows)
                stand = stand._replace(line=max(stand.line, rows[-1].line))
            if not has_news:
                yield Reading(str(stand), None)
            await self._sleep(self._every_secs)

    def _stat(self) -> tuple[int, int, int]:
        try:
            stat = self._path.stat()
        except OSError as error:
            raise self._unavailable(error) from error
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _content(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                return file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: OSError) -> SourceUnavailable:
        return SourceUnavailable(f"{self.name} {self._path}: cannot read the notices: {error.strerror}")

    def _rows(self, content: bytes) -> list[Row]:
        rows = rows_from(content, source=self.name, received_at=self._clock.now(), sites=self._sites)
        return [row._replace(found=self._placed(row)) for row in rows]

    def _placed(self, row: Row) -> Bulletin | MalformedRecord:
        """Return what a row holds; what is wrong with it says where it stands."""
        if isinstance(row.found, Bulletin):
            return row.found
        return MalformedRecord(f"{self._path}:{row.line}: {row.found}", reason=row.found.reason, value=row.found.value)


def stand_from(cursor: str | None) -> Stand:
    """Read a cursor of ours; anything else is the beginning."""
    parts = (cursor or "").split(" ")
    if len(parts) != len(Stand._fields):
        return Stand()
    first, last = number_in(parts[0]), number_in(parts[2])
    return Stand() if first is None or last is None else Stand(first, parts[1], last)


def rows_from(content: bytes, *, source: str, received_at: datetime, sites: Sites) -> Iterator[Row]:
    """Yield what the rows of a table say; its first row names the columns, in French or in English."""
    if len(content) > MAX_FILE_BYTES:
        yield _row_of(1, content, MalformedRecord(f"more than {MAX_FILE_BYTES} bytes; split it", reason="too_long"))
        return
    try:
        lines = lines_of(content)
        header = next(lines, Line(1, b""))
        delimiter, header = _delimiter(header, lines)
        columns = columns_of(cells_of(header.value, delimiter))
    except MalformedRecord as error:
        yield _row_of(1, content, error)
        return
    ahead: deque[Line] = deque()
    for rows in range(MAX_ROWS + 1):
        row = next_row(lines, ahead)
        if row is None:
            return
        if rows == MAX_ROWS:
            yield _row_of(row.number, row.value, MalformedRecord(f"more than {MAX_ROWS} rows", reason="too_long"))
        elif row.error or row.value.strip(delimiter.encode() + b" \t"):
            found = _read(row, columns, delimiter, source=source, received_at=received_at, sites=sites)
            yield _row_of(row.number, row.value, found)


def lines_of(content: bytes) -> Iterator[Line]:
    """Yield the lines of a table that are not blank, in UTF-8 whatever they were in."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.decode("utf-16", "replace").encode("utf-8", "replace")
    for number, value in enumerate(_ENDS.split(content.removeprefix(b"\xef\xbb\xbf")), 1):
        if value.strip():
            yield line_from(number, value)


def line_from(number: int, value: bytes) -> Line:
    """Return a line in UTF-8: it was so, or a spreadsheet wrote it in Windows-1252."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return Line(number, value.decode(encoding).encode())
        except UnicodeDecodeError:
            continue
    bad = MalformedRecord("neither UTF-8 nor Windows-1252; save the table as CSV UTF-8", reason="undecodable")
    return Line(number, b"", bad)


def columns_of(cells: Sequence[str]) -> list[str]:
    """Return the field of each column, "" where we read none.

    Errors  MalformedRecord `invalid` when a column is missing or named twice
    """
    fields = {alias: name for name, aliases in _COLUMNS.items() for alias in aliases}
    columns = [fields.get(folded(cell), "") for cell in cells]
    for name, french in _NEEDED.items():
        if name not in columns:
            raise _bad(f'no column for {name}; name one "{french}" in the first row')
    twice = next((name for name in columns if name and columns.count(name) > 1), "")
    if twice:
        raise _bad(f"two columns for {twice}; take one away")
    return columns


def _delimiter(header: Line, lines: Iterator[Line]) -> tuple[str, Line]:
    """Return what parts the cells, and the row that names the columns; a spreadsheet may say it in a row before.

    Errors  MalformedRecord `invalid` where no row names the columns
    """
    said = re.fullmatch(rb"\s*sep=([;,\t])\s*", header.value, re.IGNORECASE)
    delimiter = said[1].decode() if said else ""
    header = next(lines, Line(header.number, b"")) if said else header
    if header.error:
        raise header.error
    if not header.value:
        raise _bad("the table is empty; name the columns in its first row")
    if delimiter:
        return delimiter, header
    return max(";,\t", key=lambda sign: header.value.count(sign.encode())), header


def _read(
    row: Line, columns: Sequence[str], delimiter: str, *, source: str, received_at: datetime, sites: Sites
) -> Bulletin | MalformedRecord:
    try:
        if row.error:
            raise row.error
        cells = cells_of(row.value, delimiter)
        if len(cells) != len(columns):
            raise _bad(
                f"{len(cells)} cells under {len(columns)} columns; put a cell that holds a {delimiter!r} in quotes"
            )
        named = {name: cell.strip() for name, cell in zip(columns, cells, strict=True) if name and cell.strip()}
        return notice_from(msgspec.json.encode(named), source=source, received_at=received_at, sites=sites)
    except MalformedRecord as error:
        return error


def _row_of(line: int, value: bytes, found: Bulletin | MalformedRecord) -> Row:
    return Row(line, hashlib.sha256(value).digest()[:12], found)
