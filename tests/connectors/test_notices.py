"""Operator notices: what one becomes, the table they are kept in, and what a bad row says."""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Reading
from connectors.runner import Pace, run
from connectors.sources.notices import (
    MAX_FILE_BYTES,
    MAX_ROWS,
    NoticeFile,
    Site,
    Sites,
    masked,
    notice_from,
    rows_from,
    stand_from,
)
from records import Bulletin, MalformedRecord, ManualClock, SettingsError, SourceUnavailable

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
SITES = Sites(known={"Raffinerie de la Lézarde": Site(lat=49.5, lon=0.2, radius_km=4, insee="76305")}, area="27")
NOTICE = {"site": "raffinerie de la lezarde", "phenomenon": "flare", "starts_at": "2026-11-22T08:00"}
HEAD = "id;site;phénomène;début;fin;commune;message"


def bulletin(**more: Any) -> Bulletin:
    value = json.dumps({name: value for name, value in (NOTICE | more).items() if value is not None})
    return notice_from(value.encode(), source="notices", received_at=NOW, sites=SITES)


def rows(content: bytes) -> list[Bulletin | MalformedRecord]:
    return [row.found for row in rows_from(content, source="notices", received_at=NOW, sites=SITES)]


def test_what_a_notice_becomes() -> None:
    found = bulletin(ends_at="2026-11-22T12:00+01:00", text="Redémarrage", url="https://site.example.org/1", id="n-1")
    assert (found.kind, found.area, found.hazard, found.colour) == ("operator_notice", "76", None, None)
    assert (found.starts_at, found.ends_at) == (NOW, NOW + timedelta(hours=4))
    assert (found.issued_at, found.received_at) == (NOW, NOW)
    assert found.text == "raffinerie de la lezarde : torche. Redémarrage"
    assert found.url == "https://site.example.org/1"
    assert found.place
    assert (found.place.lat, found.place.lon, found.place.radius_km) == (49.5, 0.2, 4)
    assert (found.place.level, found.place.insee, found.place.dep) == ("site", "76305", "76")


@pytest.mark.parametrize(
    ("phenomenon", "kind"),
    [
        ("exercise", "exercise"),
        ("Exercice POI", "exercise"),
        ("siren_test", "siren_test"),
        ("Essai de sirène", "siren_test"),
        *(
            (word, "operator_notice")
            for word in ("flare", "Torchage", "noise", "ODEURS", "fumée", "travaux", "incident")
        ),
    ],
)
def test_the_kind_follows_the_phenomenon(phenomenon: str, kind: str) -> None:
    assert bulletin(phenomenon=phenomenon).kind == kind


@pytest.mark.parametrize(
    ("written", "phenomenon"),
    [("torche", "flare"), ("Fumées", "smoke"), ("arrêt", "maintenance"), ("incident", "incident"), ("exercice", None)],
)
def test_what_is_announced_is_told(written: str, phenomenon: str | None) -> None:
    assert bulletin(phenomenon=written).phenomenon == phenomenon


@pytest.mark.parametrize(
    ("site", "commune", "area", "has_place"),
    [
        pytest.param("Raffinerie de la Lézarde", None, "76", True, id="a known site"),
        pytest.param("Raffinerie de la Lézarde", "14118", "14", True, id="its commune said"),
        pytest.param("Autre", "76351", "76", False, id="a commune"),
        pytest.param("Autre", 1004, "01", False, id="a commune that lost its zero"),
        pytest.param("Autre", "2a004", "2A", False, id="Corsica"),
        pytest.param("Autre", "97411", "974", False, id="overseas"),
        pytest.param("Autre", None, "27", False, id="the area of the settings"),
    ],
)
def test_the_area(site: str, commune: str | None, area: str, has_place: bool) -> None:
    found = bulletin(site=site, commune=commune)
    assert (found.area, found.place is not None) == (area, has_place)


def test_a_new_end_mends_the_old_one() -> None:
    assert bulletin(ends_at="2026-11-22T12:00").bulletin_id == bulletin(ends_at="2026-11-22T15:00").bulletin_id
    assert bulletin(id=1).bulletin_id == bulletin(id="1", starts_at="2026-11-23T08:00").bulletin_id
    assert bulletin().bulletin_id != bulletin(starts_at="2026-11-22T09:00").bulletin_id
    assert bulletin().bulletin_id != bulletin(phenomenon="noise").bulletin_id


@pytest.mark.parametrize(
    ("more", "reason", "words"),
    [
        ({"phenomenon": "fête"}, "invalid", "siren_test"),
        ({"starts_at": "hier"}, "invalid", "29/11/2026"),
        ({"starts_at": " "}, "invalid", "when it starts"),
        ({"starts_at": None}, "invalid", "starts_at"),
        ({"ends_at": "2026-11-22T07:00"}, "invalid", "before it starts"),
        ({"starts_at": "0001-01-01T00:00"}, "invalid", "mend"),
        ({"commune": "Le Havre"}, "invalid", "INSEE"),
        ({"site": " "}, "invalid", "name the site"),
        ({"text": "x" * 5000}, "too_long", "shorten"),
    ],
)
def test_a_bad_notice_says_what_would_mend_it(more: dict[str, Any], reason: str, words: str) -> None:
    with pytest.raises(MalformedRecord, match=words) as caught:
        bulletin(**more)
    assert caught.value.reason == reason


def test_without_commune_and_area_it_is_refused() -> None:
    value = json.dumps(NOTICE | {"site": "Autre"}).encode()
    with pytest.raises(MalformedRecord, match="no area in the settings"):
        notice_from(value, source="notices", received_at=NOW, sites=Sites())


@pytest.mark.parametrize(
    "text",
    [
        "02 35 99 99 01",
        "02.35.99.99.01",
        "0235999901",
        "+33 2 35 99 99 01",
        "+33 (0)2 35 99 99 01",
        "00332-35-99-99-01",
    ],
)
def test_telephone_numbers_and_addresses_are_masked(text: str) -> None:
    assert masked(f"Appelez {text} ou eve.secret@example.org.") == "Appelez … ou …."


def test_figures_that_are_no_telephone_number_stay() -> None:
    text = "Le 22/11/2026 de 08:00 à 12:30, commune 76351, 1500 m, cuve 0042, 2026-11-22"
    assert masked(text) == text


def test_what_a_letter_holds_names_nobody() -> None:
    value = json.dumps(NOTICE | {"phenomenon": "x", "contact": "eve_secret", "phone": "1", "text": "02 35 99 99 01"})
    with pytest.raises(MalformedRecord) as caught:
        notice_from(value.encode(), source="notices", received_at=NOW, sites=SITES)
    assert set(json.loads(caught.value.value)) == {"site", "phenomenon", "starts_at", "text"}
    assert b"99 99 01" not in caught.value.value


@pytest.mark.parametrize(
    "sites",
    [
        {"area": "Seine-Maritime"},
        {"zone": "Mars/Nord"},
        {"known": {"x": Site(lat=91, lon=0)}},
        {"known": {"x": Site(lat=1, lon=0, radius_km=0)}},
        {"known": {"x": Site(lat=1, lon=0, insee="76")}},
    ],
)
def test_bad_sites_are_settings_errors(sites: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        Sites(**sites)


ROW = "1;Chimie du Canal;odeur;22/11/2026 08:00;;76351;Odeur d’œuf"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"{HEAD}\n{ROW}\n".encode(), id="UTF-8"),
        pytest.param(f"{HEAD}\r\n{ROW}".encode("utf-8-sig"), id="byte order mark"),
        pytest.param(f"{HEAD}\r\n{ROW}\r\n".encode("cp1252"), id="Windows-1252"),
        pytest.param(f"{HEAD}\r\n{ROW}\r\n".replace(";", "\t").encode("utf-16"), id="Excel's Unicode text"),
        pytest.param(f"{HEAD}\n{ROW}".replace(";", ",").encode(), id="commas"),
        pytest.param(f"sep=;\r\n{HEAD}\r\n{ROW}\r\n;;;;;;\r\n\r\n".encode(), id="Excel's sep line, empty rows"),
        pytest.param(
            b"id,operator,type,start,expected end,insee,description,phone\n"
            b"1,Chimie du Canal,odour,2026-11-22T08:00,,76351,Odeur d\xe2\x80\x99\xc5\x93uf,02 35 99 99 01\n",
            id="English",
        ),
    ],
)
def test_a_table_is_read_however_a_spreadsheet_writes_it(content: bytes) -> None:
    (found,) = rows(content)
    assert isinstance(found, Bulletin)
    assert (found.text, found.area, found.starts_at) == ("Chimie du Canal : odeur. Odeur d’œuf", "76", NOW)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"sep=;", "empty"),
        ("site;début\nx;y".encode(), '"phénomène"'),
        ("site;nature;type;début\nx;y;z;t".encode(), "two columns for phenomenon"),
        (b"site;type;start;\x81", "save the table as CSV UTF-8"),
        (b'site;type;start;"text', "not a row"),
        (b"x" * (MAX_FILE_BYTES + 1), "split"),
    ],
)
def test_a_bad_table_is_one_bad_record(content: bytes, words: str) -> None:
    (found,) = rows(content)
    assert isinstance(found, MalformedRecord)
    assert words in str(found)


def test_a_cell_may_span_lines_and_a_quote_never_closed_ends_with_its_line() -> None:
    spanning = '1;Chimie du Canal;odeur;22/11/2026 08:00;;76351;"Deux\nlignes"'
    open_quote = '2;Chimie du Canal;odeur;22/11/2026 08:00;;76351;"jamais'
    found = rows("\n".join([HEAD, spanning, open_quote, ROW]).encode())
    assert [type(one) for one in found] == [Bulletin, MalformedRecord, Bulletin]


def test_the_rows_are_bounded() -> None:
    content = "\n".join([HEAD, *[f"{number};x;odeur;2026-11-22;;;y" for number in range(MAX_ROWS + 10)]]).encode()
    found = rows(content)
    assert len(found) == MAX_ROWS + 1
    assert isinstance(found[-1], MalformedRecord)


@given(content=st.binary(max_size=120), head=st.sampled_from([b"", HEAD.encode() + b"\n", b"sep=,\n"]))
def test_noise_never_raises(content: bytes, head: bytes) -> None:
    for found in rows(head + content):
        assert isinstance(found, Bulletin | MalformedRecord)


class Table:
    """A table on the disk, a source that reads it, and turns that the test gives it."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        self.path = path
        self.turns: asyncio.Queue[None] = asyncio.Queue()
        self.source = NoticeFile(path, clock=clock, sites=SITES, sleep=self._sleep)
        self.saves = 0

    async def _sleep(self, _: float) -> None:
        await self.turns.get()

    def save(self, *lines: str) -> None:
        self.path.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
        self.saves += 1  # a file system may not tell two saves of one instant apart
        os.utime(self.path, ns=(self.saves * 10**9, self.saves * 10**9))

    def turn(self) -> None:
        self.turns.put_nowait(None)


@pytest.fixture
def table(tmp_path: Path, clock: ManualClock) -> Table:
    return Table(tmp_path / "notices.csv", clock)


def row(number: int, text: str = "x") -> str:
    return f"{number};Chimie du Canal;odeur;22/11/2026 08:00;;76351;{text}"


def texts(readings: list[Reading]) -> list[str]:
    return [one.post.text.rpartition(" ")[2] if isinstance(one.post, Bulletin) else "-" for one in readings]


@pytest.fixture
async def stream(table: Table) -> AsyncIterator[Callable[[int], Any]]:
    """Return what reads so many more readings of one long reading of the table."""
    async with aclosing(table.source.read(None)) as steps:

        async def more(count: int) -> list[Reading]:
            async with asyncio.timeout(5):
                return [await anext(steps) for _ in range(count)]

        yield more


async def test_a_table_is_read_again_when_it_changes_and_only_what_changed(
    table: Table, stream: Callable[[int], Any]
) -> None:
    table.save(row(1, "a"), row(2, "b"))
    first = await stream(2)
    table.turn()
    quiet = await stream(1)
    table.save(row(1, "a"), row(2, "c"), row(3, "d"))
    table.turn()
    changed = await stream(2)
    table.save(row(1, "a"), row(2, "c"), row(3, "d"))  # saved again, the same
    table.turn()
    same = await stream(1)
    assert [texts(found) for found in (first, quiet, changed, same)] == [["a", "b"], ["-"], ["c", "d"], ["-"]]
    cursors = [stand_from(one.cursor) for one in (*first, *quiet, *changed, *same)]
    assert cursors == sorted(cursors, key=lambda stand: (stand.version, stand.line))


async def test_a_bad_row_names_file_and_line(table: Table, stream: Callable[[int], Any]) -> None:
    table.save(row(1), "2;Chimie du Canal;fête;22/11/2026;;76351;x")
    (_, reading) = await stream(2)
    assert str(reading.post).startswith(f"{table.path}:3: ")


async def test_it_resumes_after_the_row_and_reads_a_changed_table_whole(table: Table) -> None:
    table.save(row(1, "a"), row(2, "b"), row(3, "c"))
    before = await take(table.source, 2)
    assert texts(await take(table.source, 1, before[-1].cursor)) == ["c"]
    table.save(row(1, "a"), row(2, "b"), row(3, "d"))
    assert texts(await take(table.source, 3, before[-1].cursor)) == ["a", "b", "d"]


async def take(source: NoticeFile, count: int, after: str | None = None) -> list[Reading]:
    async with aclosing(source.read(after)) as steps, asyncio.timeout(5):
        return [await anext(steps) for _ in range(count)]


async def test_a_table_that_is_not_there_is_unavailable(table: Table) -> None:
    with pytest.raises(SourceUnavailable, match="No such file"):
        await take(table.source, 1)


class Kept:
    """Cursors in memory."""

    def __init__(self) -> None:
        self.cursor: str | None = None

    def load(self, source: str) -> str | None:
        return self.cursor

    def save(self, source: str, cursor: str) -> None:
        self.cursor = cursor


async def test_killed_at_any_moment_no_row_is_missing(
    table: Table, broker: Any, witness: Any, clock: ManualClock, until: Any
) -> None:
    table.save(*[row(number, f"t{number}") for number in range(300)])
    cursors, chance = Kept(), random.Random(3)  # noqa: S311
    expected = {f"t{number}" for number in range(300)}
    given, left = broker.bulletins, 0

    async def until_killed(bulletins: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise ConnectionError("killed")
        await given(bulletins)

    def found() -> set[str]:
        return {one.text.rpartition(" ")[2] for one in broker.stated}

    broker.bulletins = until_killed
    for batches in [*(chance.randrange(1, 8) for _ in range(6)), 1000]:
        left = batches
        task = asyncio.create_task(
            run(
                table.source,
                gate=lambda _: True,
                publisher=broker,
                cursors=cursors,
                observer=witness,
                clock=clock,
                pace=Pace(batch_posts=7, linger_secs=0.0, stop_secs=0.0),
            )
        )
        await until(lambda task=task: task.done() or found() == expected)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled() or isinstance(task.exception(), ConnectionError)
    assert found() == expected
    assert len(broker.stated) < 2 * len(expected), "it begins anew instead of resuming"
