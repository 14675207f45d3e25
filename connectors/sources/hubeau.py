"""Hub'Eau: measured heights of rivers, told when a station crosses one of the levels in the settings or rises fast.

Shape   one reading an observation, oldest first, station after station; a poll without observations gives one too; the
        observations that the server sends again on resuming give none
Units   the API gives heights in millimetres above the station's own zero; levels in the settings are metres
Errors  SourceUnavailable when the API cannot be asked; the next attempt begins with the next station
Source  https://hubeau.eaufrance.fr/page/api-hydrometrie, version 2, `observations_tr`: one month is kept, status 206
        means that there is more, `next` holds the cursor
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec

from connectors.contract import Capabilities, Observer, Reading
from connectors.sources.polling import (
    AHEAD,
    UNREADABLE,
    Position,
    Statement,
    client_with,
    fetched,
    invalid,
    news_of,
    position_from,
    seen,
)
from records import Clock, MalformedRecord, Place, SettingsError, SourceUnavailable
from records.bulletin import Colour
from records.post import Latitude, Longitude
from records.time import in_utc

PATH: Final = "/api/v2/hydrometrie/observations_tr"
PAGE: Final = "https://www.hydro.eaufrance.fr/stationhydro/{}/fiche"
KEPT_FOR = timedelta(days=30)
"""The API keeps a month; what is older can never be read any more."""

FIRST_LOOK = timedelta(hours=2)
HOUR = timedelta(hours=1)
MAX_BYTES = 16 << 20
PAGE_SIZE = 1_000
MOST_PAGES = 50
MOST_IN_AN_HOUR = 240
MOST_STATIONS = 200
MARGIN_M = 0.05
"""A station leaves a colour only so far below its level, so that a wave on the gauge does not ring twice."""

HIGHEST_M = 1_000.0
RANKS: Final[dict[Colour, int]] = {"green": 0, "yellow": 1, "orange": 2, "red": 3}
FIELDS = frozenset({"code_station", "grandeur_hydro", "date_obs", "resultat_obs", "libelle_qualification_obs"})
_STATION = re.compile(r"[A-Z0-9]{10}")
_AREA = re.compile(r"2A|2B|\d{2,3}")


class Station(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A station to watch, and the heights in metres at which it becomes yellow, orange, red."""

    code: str
    areas: tuple[str, ...]
    name: str = ""
    yellow_m: float | None = None
    orange_m: float | None = None
    red_m: float | None = None
    rise_m_per_hour: float | None = None  # at which it is yellow, however low it stands

    @property
    def levels(self) -> tuple[tuple[Colour, float], ...]:
        """The levels that are set, the highest first."""
        found: tuple[tuple[Colour, float | None], ...] = (
            ("red", self.red_m),
            ("orange", self.orange_m),
            ("yellow", self.yellow_m),
        )
        return tuple((colour, level) for colour, level in found if level is not None)


class Observation(msgspec.Struct, frozen=True):
    """One measure."""

    date_obs: datetime
    resultat_obs: Annotated[float, msgspec.Meta(ge=-HIGHEST_M * 1000, le=HIGHEST_M * 1000)] | None = None
    grandeur_hydro: str = "H"
    code_station: str | None = None  # none where the row is about the whole site
    libelle_qualification_obs: str | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class Page(msgspec.Struct, frozen=True):
    """One answer of the API."""

    data: list[msgspec.Raw]
    next: str | None = None


@dataclass
class Recent:
    """The last hour of a station: moments and metres."""

    heights: deque[tuple[datetime, float]] = field(default_factory=lambda: deque(maxlen=MOST_IN_AN_HOUR))
    early: deque[datetime] = field(default_factory=lambda: deque(maxlen=MOST_IN_AN_HOUR))  # read, and dated ahead of us

    def rise(self, at: datetime, metres: float) -> float:
        """Take a height in, and return how far it stands above the lowest of the hour before it."""
        while self.heights and self.heights[0][0] < at - HOUR:
            self.heights.popleft()
        self.heights.append((at, metres))
        return metres - min(height for _, height in self.heights)


_page = msgspec.json.Decoder(Page)
_observation = msgspec.json.Decoder(Observation)


class HubEau:
    """Reads the heights of the stations that are asked for."""

    capabilities = Capabilities(
        carries="bulletins",
        positions=True,
        backfill=KEPT_FOR,
        every=timedelta(minutes=5),
        quiet=timedelta(minutes=15),
    )
    is_trusted = True

    def __init__(
        self,
        *,
        stations: Sequence[Station],
        clock: Clock,
        observer: Observer,
        base_url: str = "https://hubeau.eaufrance.fr",
        name: str = "hubeau",
        poll_secs: float = 300.0,
        connect_secs: float = 20.0,
        longest_secs: float = 60.0,
        max_bytes: int = MAX_BYTES,
        page_size: int = PAGE_SIZE,
    ) -> None:
        check(stations)
        self.capabilities = self.capabilities.asked_every(poll_secs)
        self.name = name
        self._stations = tuple(stations)
        self._clock = clock
        self._observer = observer
        self._url = base_url.rstrip("/") + PATH
        self._poll_secs = poll_secs
        self._connect_secs = connect_secs
        self._longest_secs = longest_secs
        self._max_bytes = max_bytes
        self._page_size = page_size
        self._turn = 0

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield readings until the API cannot be asked."""
        position = self._ours(position_from(after))
        recent = {station.code: Recent() for station in self._stations}
        async with client_with({}, connect_secs=self._connect_secs) as client:
            while True:
                failures: list[SourceUnavailable] = []
                for _ in self._stations:
                    station = self._stations[self._turn % len(self._stations)]
                    self._turn += 1  # before asking, so that one that fails does not hide the others
                    position = self._with_gap(station, position)
                    try:
                        async with aclosing(self._station(client, station, position, recent[station.code])) as readings:
                            async for reading in readings:
                                position = position_from(reading.cursor)
                                yield reading
                    except SourceUnavailable as error:
                        failures.append(error)
                if failures:  # told at the end of the round, so that nobody is asked again at once
                    waits = [error.retry_after_secs or 0.0 for error in failures]
                    raise SourceUnavailable(str(failures[0]), retry_after_secs=max(self._poll_secs, *waits))
                await asyncio.sleep(self._poll_secs)

    def _ours(self, position: Position) -> Position:
        """Forget stations that are no longer watched."""
        codes = {station.code for station in self._stations}
        last = {code: at for code, at in position.last.items() if code in codes}
        held = {code: one for code, one in position.held.items() if code in codes}
        return msgspec.structs.replace(position, last=last, held=held)

    def _with_gap(self, station: Station, position: Position) -> Position:
        """Move a station whose place is older than what is kept, and tell what nobody will ever have seen."""
        now = self._clock.now()
        last = position.last.get(station.code)
        if last is None or now - last <= KEPT_FOR:
            return position
        self._observer.gap(self.name, (now - KEPT_FOR - last).total_seconds())
        return msgspec.structs.replace(position, last={**position.last, station.code: now - KEPT_FOR})

    async def _station(
        self, client: httpx.AsyncClient, station: Station, position: Position, recent: Recent
    ) -> AsyncGenerator[Reading, None]:
        """Read what a station has measured since we last looked."""
        query = self._first_query(station, position, recent)
        is_quiet = True
        for _ in range(MOST_PAGES):
            try:
                rows, following = await self._page(client, query)
            except MalformedRecord as error:
                yield Reading(str(seen(position, self._clock.now())), error)
                return
            position = seen(position, self._clock.now())
            for row in rows:
                if is_known(row, position.last.get(station.code)):
                    self._remember(row, recent, station)
                    continue
                if isinstance(row, Observation) and row.date_obs in recent.early:
                    continue
                is_quiet = False
                reading = self._reading(row, station, position, recent)
                position = position_from(reading.cursor)
                yield reading
            if not following:
                break
            query = following
        if is_quiet:
            yield Reading(str(position), None)

    def _first_query(self, station: Station, position: Position, recent: Recent) -> list[tuple[str, str]]:
        last = position.last.get(station.code)
        since = last or self._clock.now() - FIRST_LOOK
        if last and not recent.heights:
            since = last - HOUR  # what the rise is measured from
        return [
            ("code_entite", station.code),
            ("grandeur_hydro", "H"),
            ("date_debut_obs", f"{since:%Y-%m-%dT%H:%M:%SZ}"),
            ("sort", "asc"),
            ("size", str(self._page_size)),
        ]

    async def _page(
        self, client: httpx.AsyncClient, query: Sequence[tuple[str, str]]
    ) -> tuple[list[Observation | MalformedRecord], list[tuple[str, str]]]:
        answer = await fetched(
            client,
            self._url,
            name=self.name,
            now=self._clock.now(),
            query=query,
            longest_secs=self._longest_secs,
            max_bytes=self._max_bytes,
        )
        return page_from(answer.body or b"")

    def _remember(self, row: Observation | MalformedRecord, recent: Recent, station: Station) -> None:
        if isinstance(row, Observation) and is_height_of(row, station) and row.resultat_obs is not None:
            recent.rise(row.date_obs, row.resultat_obs / 1000)

    def _reading(
        self, row: Observation | MalformedRecord, station: Station, position: Position, recent: Recent
    ) -> Reading:
        """Return what one observation tells."""
        now = self._clock.now()
        if isinstance(row, MalformedRecord):
            return Reading(str(position), row)
        if row.date_obs > now + AHEAD:
            error = MalformedRecord(f"{station.code}: measured in the future: {row.date_obs}", reason="invalid")
            return Reading(str(position), error)
        if not is_height_of(row, station):
            return Reading(str(position), None)
        if row.date_obs > now:  # its place must not lie ahead of us: what is measured until then would be passed over
            recent.early.append(row.date_obs)
            row = msgspec.structs.replace(row, date_obs=now)
        position = msgspec.structs.replace(position, last={**position.last, station.code: row.date_obs})
        if row.resultat_obs is None:
            return Reading(str(position), None)
        before = position.held.get(station.code)
        rise = recent.rise(row.date_obs, row.resultat_obs / 1000)
        statement = statement_from(row, row.resultat_obs / 1000, rise, station, before.colour if before else "green")
        position, found = news_of(statement, position, source=self.name, at=row.date_obs, received_at=now)
        return Reading(str(position), found[0] if found else None, found[1:])


def check(stations: Sequence[Station]) -> None:
    """Look for stations that cannot be watched.

    Errors  SettingsError naming the first
    """
    if not 0 < len(stations) <= MOST_STATIONS:
        raise SettingsError(f"hubeau: {len(stations)} stations: want 1 to {MOST_STATIONS}")
    codes = [station.code for station in stations]
    for station in stations:
        if not _STATION.fullmatch(station.code) or codes.count(station.code) > 1:
            raise SettingsError(f"hubeau: station {station.code!r}: want ten letters and digits, and each station once")
        if not station.areas or not all(map(_AREA.fullmatch, station.areas)):
            raise SettingsError(f"hubeau: {station.code}: areas = {station.areas}: want départements, as in ['76']")
        heights = [level for _, level in station.levels]
        if sorted(heights, reverse=True) != heights or not (heights or station.rise_m_per_hour):
            raise SettingsError(f"hubeau: {station.code}: want yellow_m < orange_m < red_m, or a rise_m_per_hour")
        if station.rise_m_per_hour is not None and station.rise_m_per_hour <= 0:
            raise SettingsError(
                f"hubeau: {station.code}: rise_m_per_hour = {station.rise_m_per_hour}: want more than 0"
            )


def page_from(body: bytes) -> tuple[list[Observation | MalformedRecord], list[tuple[str, str]]]:
    """Return the rows of a page, oldest first, and the query for the next page, empty after the last.

    Only the query of `next` is taken: it is asked of the server that we know.

    Errors  MalformedRecord when it is no page
    """
    try:
        page = _page.decode(body)
        following = parse_qsl(urlsplit(page.next or "").query, max_num_fields=32)
    except (*UNREADABLE, ValueError) as error:
        raise invalid(error, b"", FIELDS) from error
    bad: list[Observation | MalformedRecord] = []
    good: list[Observation] = []
    for raw in page.data:
        try:
            row = _observation.decode(raw)
            good.append(msgspec.structs.replace(row, date_obs=in_utc(row.date_obs)))
        except (MalformedRecord, *UNREADABLE) as error:
            bad.append(invalid(error, raw, FIELDS))
    return [*bad, *sorted(good, key=lambda row: row.date_obs)], following


def is_known(row: Observation | MalformedRecord, last: datetime | None) -> bool:
    """Tell whether a row was read before."""
    return last is not None and isinstance(row, Observation) and row.date_obs <= last


def is_height_of(row: Observation, station: Station) -> bool:
    """Tell whether a row is a height of this station; the API also gives rows of the whole site."""
    return row.code_station == station.code and row.grandeur_hydro == "H"


def statement_from(row: Observation, metres: float, rise: float, station: Station, before: Colour) -> Statement:
    """Turn a measure into what it means by the levels in the settings; it falls a little later than it rose."""
    colour = colour_of(metres, rise, station, before)
    name = station.name or station.code
    doubt = " (mesure douteuse)" if "dout" in (row.libelle_qualification_obs or "").lower() else ""
    return Statement(
        thing=station.code,
        areas=station.areas,
        colour=colour,
        issued_at=row.date_obs,
        kind="river_level",
        subject=f"Hauteur d'eau, {name}",
        detail=f"{in_metres(metres)}{doubt}, {in_metres(rise)} au-dessus du plus bas de l'heure.",
        hazard="flood",
        place=place_from(row, station, name) if colour != "green" else None,
        url=PAGE.format(station.code),
    )


def colour_of(metres: float, rise: float, station: Station, before: Colour) -> Colour:
    """Return the colour of a height and a rise, given the colour before."""
    for colour, level in station.levels:
        margin = MARGIN_M if RANKS[before] >= RANKS[colour] else 0.0
        if metres >= level - margin:
            return colour
    limit = station.rise_m_per_hour
    if limit and rise >= (limit if before == "green" else limit / 2):
        return "yellow"
    return "green"


def in_metres(metres: float) -> str:
    """Say a height as people write it."""
    return f"{metres:.2f} m".replace(".", ",")


def place_from(row: Observation, station: Station, name: str) -> Place | None:
    """Return where a station stands, or None where the row does not say."""
    if row.latitude is None or row.longitude is None:
        return None
    return Place(
        place_id=f"hubeau:{station.code}",
        name=name,
        lat=row.latitude,
        lon=row.longitude,
        radius_km=1.0,
        level="point",
        confidence=1.0,
        source="geotag",
        reasons=("station",),
        country="FR",
        dep=station.areas[0],
    )
