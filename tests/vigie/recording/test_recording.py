"""The recording: what detectors take comes back to the bit, words and links do not, and it decides alike."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from detectors.detector import Detector, Shelf
from detectors.profile import load_profile
from models.places import Gazetteer
from records import Alert, Place, Retraction, SettingsError, Signal, Statement, Tick
from streams.resuming import Mark
from vigie.recording import (
    UNRECORDED,
    Facts,
    Row,
    facts_in,
    file_of,
    is_recorded,
    rows_in,
    table_in,
    table_of,
    wordless,
)

AT = datetime(2012, 1, 30, 8, tzinfo=UTC)
Day = Callable[[int], list[Any]]


class Table:
    """The detectors' table, in memory."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.values.get(key)


def rows_of(records: Iterable[Any]) -> list[Row]:
    return [Row(record, number % 4, number, AT) for number, record in enumerate(records)]


@pytest.fixture
def through(tmp_path: Path) -> Callable[[Iterable[Any]], list[Any]]:
    """Write records into a file, and return what is read from it."""

    def written(records: Iterable[Any]) -> list[Any]:
        path = tmp_path / "day.parquet"
        path.write_bytes(file_of(table_of(rows_of(one for one in records if is_recorded(one))), Facts()))
        return [row.record for row in rows_in(table_in(path))]

    return written


@cache
def home() -> Place:
    return Gazetteer().home_place("76351")


def decided(records: Iterable[Any]) -> list[Alert]:
    """Return what a detector makes of records, time passing with them."""
    detector = Detector(load_profile("city", home()))
    shelf, keys, alerts = Shelf(Table()), set[str](), list[Alert]()
    for record in records:
        if isinstance(record, Retraction):
            alerts += detector.retract(record, shelf)
            continue
        at = record.received_at if isinstance(record, Signal) else record.at
        for key in sorted(keys):
            while (due := detector.next_due(key, shelf)) is not None and due <= at:
                hazard, _, area = key.partition("/")
                alerts += detector.pass_time(Tick(hazard=hazard, area=area, at=due), shelf)  # type: ignore[arg-type]
        if isinstance(record, Tick):
            continue
        keys.add(record.key)
        take = detector.heed if isinstance(record, Statement) else detector.observe
        alerts += take(record, shelf)
    return alerts


def without_words(alerts: Iterable[Alert]) -> list[Alert]:
    return [
        replace(
            alert,
            place=replace(alert.place, reasons=UNRECORDED),
            evidence=tuple(replace(one, text="", url=None) for one in alert.evidence),
        )
        for alert in alerts
    ]


def test_what_detectors_take_comes_back_in_its_order_to_the_bit(day: Day, through: Callable[..., list[Any]]) -> None:
    records = [one for one in day(1) if is_recorded(one)]
    assert through(records) == [wordless(one) if isinstance(one, Signal) else one for one in records]


def test_ticks_and_what_was_told_of_words_are_left_out(day: Day) -> None:
    alert = decided(day(2))[0]
    assert not is_recorded(Tick(hazard="fire", area="76", at=AT))
    assert not is_recorded(Retraction(at=AT, post_key="bluesky:1", told=alert))
    assert is_recorded(Retraction(at=AT, post_key="bluesky:1"))


def test_no_word_no_link_and_no_reason_that_quotes_stands_in_a_file(day: Day, tmp_path: Path) -> None:
    path = tmp_path / "day.parquet"
    path.write_bytes(file_of(table_of(rows_of(one for one in day(3) if isinstance(one, Signal))), Facts()))
    whole = str(pq.read_table(path).to_pylist())
    for words in ("Énorme", "centrale", "soufre", "dix minutes", "example.org", "est écrit"):
        assert words not in whole
    assert "[smoke] [to the north]" in whole  # what is perceived, in words of ours


@pytest.mark.parametrize("seed", range(5))
def test_the_recording_and_what_stood_on_the_topic_give_the_same_alerts(
    seed: int, day: Day, through: Callable[..., list[Any]]
) -> None:
    records = day(seed)
    live, replayed = decided(records), decided(through(records))
    assert len(live) > 10
    assert any(alert.context for alert in live)  # that it compares what is announced with what is perceived is tried
    assert any(one.is_removed for alert in live for one in alert.evidence)
    assert without_words(replayed) == without_words(live)


def test_facts_stand_beside_the_rows(tmp_path: Path) -> None:
    facts = Facts(marks={0: Mark(41, "ab"), 3: Mark(7, "cd")}, lost=2)
    (tmp_path / "day.parquet").write_bytes(file_of(table_of([]), facts))
    assert facts_in(tmp_path / "day.parquet") == facts


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "cannot be read as a recording", id="nothing"),
        pytest.param(b"PAR1" + b"\x00" * 100, "cannot be read as a recording", id="rubbish"),
        pytest.param(None, "cannot be read as a recording", id="another program's Parquet"),
    ],
)
def test_what_is_no_recording_is_refused_with_its_name(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "day.parquet"
    if content is None:
        pq.write_table(pa.table({"a": [1]}), path)
    else:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=said) as refused:
        facts_in(path)
    assert str(refused.value).startswith(f"{path}: ")


def test_only_the_rows_of_an_area_are_read_and_what_concerns_all(day: Day, tmp_path: Path, heard: Any) -> None:
    elsewhere = heard(900)
    elsewhere = replace(elsewhere, place=replace(elsewhere.place, dep="33"))
    path = tmp_path / "day.parquet"
    path.write_bytes(file_of(table_of(rows_of([heard(1), elsewhere, Retraction(at=AT, post_key="x:1")])), Facts()))
    found = [row.record for row in rows_in(table_in(path, areas=["33"]))]
    assert found == [wordless(elsewhere), Retraction(at=AT, post_key="x:1")]
