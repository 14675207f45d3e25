"""Météo-France: the weather vigilance, one colour a phenomenon and département, for today and tomorrow.

Shape   one reading a change, or one a poll; of the spans of a phenomenon the worst that is not over is told, with its
        beginning and end; the others stand in its text
Units   colours 1 to 4; times in UTC; the coast of a département has its own entry, its code and "10"
Errors  SourceUnavailable when the API cannot be asked, refuses the key or is not renewed; MalformedRecord for what of
        its answer cannot be read, and when a département that is asked for is not in it
Source  API "Vigilance Bulletin" (DPVigilance/v1) of https://portail-api.meteofrance.fr; Météo-France, "Descriptif
        technique des informations Vigilance métropole", 11 September 2023
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import httpx
import msgspec

from connectors.contract import Observer
from connectors.sources.polling import (
    COLOURS,
    FRENCH,
    UNREADABLE,
    PolledSheet,
    Sheet,
    Statement,
    invalid,
    problem_of,
)
from records import Clock, MalformedRecord, SettingsError, SourceUnavailable
from records.signal import Hazard
from records.time import in_utc

MAP_PATH: Final = "/public/DPVigilance/v1/cartevigilance/encours"
TEXTS_PATH: Final = "/public/DPVigilance/v1/textesvigilance/encours"
PAGE: Final = "https://vigilance.meteofrance.fr/"
MAX_BYTES = 8 << 20
MOST_DOMAINS = 2_000
MOST_WORDS = 400
FIRST_YEAR, LAST_YEAR = 2000, 2999

PHENOMENA: Final[dict[str, tuple[str, Hazard | None]]] = {
    "1": ("vent", "other"),  # makes neither a fire nor a flood likelier
    "2": ("pluie-inondation", "flood"),
    "3": ("orages", "other"),
    "4": ("crues", "flood"),
    "9": ("vagues-submersion", "flood"),
}
"""What bears on our hazards; snow (5), heat (6), cold (7) and avalanches (8) are left out."""

COAST: Final = "10"
AREA = re.compile(r"2A|2B|\d{2}")
FIELDS = frozenset({"domain_id", "max_color_id", "phenomenon_id", "phenomenon_max_color_id"})
_PARIS = ZoneInfo("Europe/Paris")


class Interval(msgspec.Struct, frozen=True):
    """A span of time in one colour."""

    begin_time: datetime
    end_time: datetime
    color_id: int


class Phenomenon(msgspec.Struct, frozen=True):
    """A phenomenon in one département; floods of rivers have no intervals."""

    phenomenon_id: str | int
    phenomenon_max_color_id: int
    timelaps_items: list[Interval] = []


class Domain(msgspec.Struct, frozen=True):
    """A département, its coast, or the country."""

    domain_id: str
    phenomenon_items: list[msgspec.Raw] = []


class Timelaps(msgspec.Struct, frozen=True):
    """The domains of one day."""

    domain_ids: list[msgspec.Raw] = []


class Period(msgspec.Struct, frozen=True):
    """Today (J) or tomorrow (J1); between midnight and six there is only today."""

    begin_validity_time: datetime
    end_validity_time: datetime
    timelaps: Timelaps = Timelaps()


class Product(msgspec.Struct, frozen=True):
    """The map."""

    update_time: datetime
    periods: list[Period]


class Carte(msgspec.Struct, frozen=True):
    """The answer that holds the map."""

    product: Product


class Subdivision(msgspec.Struct, frozen=True):
    """A paragraph with its title."""

    text: list[str] | None = None


class Term(msgspec.Struct, frozen=True):
    """What is written about one day."""

    subdivision_text: list[Subdivision] | None = None


class TextItem(msgspec.Struct, frozen=True):
    """What is written about one phenomenon; no code where it is about all."""

    hazard_code: str | int | None = None
    term_items: list[Term] | None = None


class BlocItem(msgspec.Struct, frozen=True):
    """A part of a bulletin."""

    text_items: list[TextItem] | None = None


class Bloc(msgspec.Struct, frozen=True):
    """The bulletin of one domain."""

    domain_id: str
    bloc_items: list[BlocItem] | None = None


class TextProduct(msgspec.Struct, frozen=True):
    """The bulletins."""

    text_bloc_items: list[msgspec.Raw]


class Textes(msgspec.Struct, frozen=True):
    """The answer that holds the bulletins."""

    product: TextProduct


@dataclass(frozen=True)
class Span:
    """A phenomenon in one colour, in one domain, for a while."""

    domain: str
    phenomenon: str
    colour: int
    starts_at: datetime
    ends_at: datetime


_carte = msgspec.json.Decoder(Carte)
_domain = msgspec.json.Decoder(Domain)
_phenomenon = msgspec.json.Decoder(Phenomenon, strict=False)  # numbers come in quotes now and then
_textes = msgspec.json.Decoder(Textes)
_bloc = msgspec.json.Decoder(Bloc, strict=False)


class MeteoFrance(PolledSheet):
    """Reads the vigilance of the départements that are asked for."""

    def __init__(
        self,
        *,
        areas: Collection[str],
        api_key: str,
        clock: Clock,
        observer: Observer,
        base_url: str = "https://public-api.meteofrance.fr",
        name: str = "meteofrance",
        with_texts: bool = True,
        poll_secs: float = 600.0,
        connect_secs: float = 20.0,
        longest_secs: float = 60.0,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._areas = tuple(areas)
        if isinstance(areas, str) or not self._areas or not all(map(AREA.fullmatch, self._areas)):
            raise SettingsError(
                f"meteofrance: areas = {areas!r}: want départements of the mainland, as in ['76', '2A']"
            )
        if not api_key or not api_key.isascii() or not api_key.isprintable():
            raise SettingsError("meteofrance: no api_key, or one that is none: get it at portail-api.meteofrance.fr")
        self._texts_url = base_url.rstrip("/") + TEXTS_PATH
        self._with_texts = with_texts
        super().__init__(
            name=name,
            url=base_url.rstrip("/") + MAP_PATH,
            clock=clock,
            observer=observer,
            poll_secs=poll_secs,
            connect_secs=connect_secs,
            longest_secs=longest_secs,
            max_bytes=max_bytes,
            headers={"apikey": api_key},
        )

    def sheet_from(self, body: bytes) -> Sheet:
        """Take a map apart.

        Errors  MalformedRecord when it is none
        """
        return sheet_from(body, self._areas)

    async def completed(self, client: httpx.AsyncClient, sheet: Sheet) -> Sheet:
        """Add what forecasters wrote, where a colour is up; a map without words is better than none."""
        said = sheet.statements(self._clock.now())
        if not self._with_texts or all(one.colour == "green" for one in said):
            return sheet
        try:
            answer = await self._fetched(client, self._texts_url)
            words = words_from(answer.body or b"", self._areas)
        except SourceUnavailable:
            return sheet
        except MalformedRecord as error:
            return replace(sheet, problem=problem_of([error, *([sheet.problem] if sheet.problem else [])]))
        return replace(sheet, statements=lambda now: worded(sheet.statements(now), words))


def sheet_from(body: bytes, areas: Sequence[str]) -> Sheet:
    """Turn a map into the statements about some départements and their coasts.

    Errors  MalformedRecord when it is no map
    """
    try:
        product = _carte.decode(body).product
        issued_at = in_utc(product.update_time)
    except (MalformedRecord, *UNREADABLE) as error:
        raise invalid(error, b"", FIELDS) from error
    problems: list[MalformedRecord] = []
    spans: list[Span] = []
    domains: set[str] = set()
    for period in product.periods[:4]:
        if len(period.timelaps.domain_ids) > MOST_DOMAINS:
            raise MalformedRecord(f"a map of {len(period.timelaps.domain_ids)} domains", reason="too_long")
        for raw in period.timelaps.domain_ids:
            spans += spans_from(raw, period, areas, domains, problems)
    missing = set(areas) - domains
    if missing:
        problems.append(MalformedRecord(f"not on the map: {', '.join(sorted(missing))}", reason="invalid"))
    assessed = sorted({(span.domain, span.phenomenon) for span in spans})
    return Sheet(issued_at, lambda now: statements_at(now, assessed, spans, issued_at), problem_of(problems))


def spans_from(
    raw: msgspec.Raw, period: Period, areas: Sequence[str], domains: set[str], problems: list[MalformedRecord]
) -> list[Span]:
    """Return the spans of a domain that is asked for; note that it was there, and what could not be read."""
    try:
        domain = _domain.decode(raw)
    except UNREADABLE as error:
        problems.append(invalid(error, raw, FIELDS))
        return []
    if area_of(domain.domain_id) not in areas:
        return []
    domains.add(area_of(domain.domain_id))
    found: list[Span] = []
    for item in domain.phenomenon_items:
        try:
            found += spans_of(_phenomenon.decode(item), domain.domain_id, period)
        except (MalformedRecord, *UNREADABLE) as error:
            problems.append(invalid(error, item, FIELDS))
    return found


def area_of(domain: str) -> str:
    """Return the département of a domain: 7610 is the coast of 76."""
    is_coast = len(domain) == 4 and domain.endswith(COAST)  # noqa: PLR2004
    return domain[:2] if is_coast else domain


def spans_of(item: Phenomenon, domain: str, period: Period) -> Iterator[Span]:
    """Yield the spans of a phenomenon: its intervals, or the whole day where it has none.

    Errors  MalformedRecord when a colour or a time is none
    """
    phenomenon = str(item.phenomenon_id)
    if phenomenon not in PHENOMENA:
        return
    whole = Interval(period.begin_validity_time, period.end_validity_time, item.phenomenon_max_color_id)
    for interval in item.timelaps_items or [whole]:
        if interval.color_id not in COLOURS:
            raise MalformedRecord(f"{domain}, phenomenon {phenomenon}: no such colour", reason="invalid")
        starts_at, ends_at = in_utc(interval.begin_time), in_utc(interval.end_time)
        if not FIRST_YEAR <= starts_at.year <= ends_at.year <= LAST_YEAR:
            raise MalformedRecord(f"{domain}, phenomenon {phenomenon}: no such time", reason="invalid")
        yield Span(domain, phenomenon, interval.color_id, starts_at, ends_at)


def statements_at(
    now: datetime, assessed: Sequence[tuple[str, str]], spans: Sequence[Span], issued_at: datetime
) -> tuple[Statement, ...]:
    """Return one statement for each phenomenon in each domain: the worst of what is not over."""
    return tuple(
        statement_of(
            domain,
            phenomenon,
            [span for span in spans if (span.domain, span.phenomenon) == (domain, phenomenon)],
            issued_at,
            now,
        )
        for domain, phenomenon in assessed
    )


def statement_of(domain: str, phenomenon: str, spans: Sequence[Span], issued_at: datetime, now: datetime) -> Statement:
    """Return what holds of one phenomenon, and from when until when in its worst colour."""
    label, hazard = PHENOMENA[phenomenon]
    ahead = [span for span in spans if span.ends_at > now and span.colour > 1]
    number = max((span.colour for span in ahead), default=1)
    worst = [span for span in ahead if span.colour == number]
    area = area_of(domain)
    where = area if domain == area else f"littoral du {area}"
    return Statement(
        thing=f"{domain}-{phenomenon}",
        areas=(area,),
        colour=COLOURS[number],
        issued_at=issued_at,
        kind="vigilance",
        subject=f"Vigilance Météo-France {label}, {where}",
        detail=" ; ".join(in_words(span) for span in sorted(ahead, key=lambda one: one.starts_at)),
        hazard=hazard,
        starts_at=min((span.starts_at for span in worst), default=None),
        ends_at=max((span.ends_at for span in worst), default=None),
        url=PAGE,
    )


def in_words(span: Span) -> str:
    """Say a span for people, in the time of Paris."""
    starts_at, ends_at = span.starts_at.astimezone(_PARIS), span.ends_at.astimezone(_PARIS)
    return f"{FRENCH[COLOURS[span.colour]]} du {starts_at:%d/%m %Hh%M} au {ends_at:%d/%m %Hh%M}"


def words_from(body: bytes, areas: Sequence[str]) -> dict[tuple[str, str], str]:
    """Return what forecasters wrote, by domain and phenomenon; "" stands for all phenomena.

    Errors  MalformedRecord when it cannot be read
    """
    words: dict[tuple[str, str], str] = {}
    try:
        for raw in _textes.decode(body).product.text_bloc_items[:MOST_DOMAINS]:
            bloc = _bloc.decode(raw)
            if area_of(bloc.domain_id) not in areas:
                continue
            for item in (item for part in bloc.bloc_items or () for item in part.text_items or ()):
                words.setdefault((bloc.domain_id, str(item.hazard_code or "")), words_of(item))
    except UNREADABLE as error:
        raise invalid(error, b"", FIELDS) from error
    return words


def words_of(item: TextItem) -> str:
    """Return the paragraphs of an item as one text."""
    paragraphs = [
        line
        for term in item.term_items or ()
        for subdivision in term.subdivision_text or ()
        for line in subdivision.text or ()
    ]
    return " ".join(" ".join(paragraphs[:20]).split())[:MOST_WORDS]


def worded(statements: tuple[Statement, ...], words: Mapping[tuple[str, str], str]) -> tuple[Statement, ...]:
    """Return statements with what forecasters wrote about them, or about their domain."""
    return tuple(
        replace(one, detail=f"{one.detail}. {text}" if (text := text_for(one, words)) else one.detail)
        for one in statements
    )


def text_for(statement: Statement, words: Mapping[tuple[str, str], str]) -> str:
    """Return what was written about a statement; "" when nothing was."""
    domain, _, phenomenon = statement.thing.partition("-")
    return words.get((domain, phenomenon)) or words.get((domain, "")) or ""
