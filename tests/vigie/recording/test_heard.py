"""What tells how what comes in has changed, out of a recording."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from records import Signal
from records.trust import Heard
from vigie.recording import Facts, Row, file_of, table_of
from vigie.recordings import Recordings
from vigie.trust_watch import heard_in

AT = datetime(2012, 1, 30, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def signals(day: Any) -> list[Signal]:
    return [one for one in day(7) if isinstance(one, Signal)]


def test_it_is_what_the_rows_say(tmp_path: Path, signals: list[Signal]) -> None:
    rows = [Row(one, 0, number, AT) for number, one in enumerate(signals)]
    (tmp_path / "2012-01-30.parquet").write_bytes(file_of(table_of(rows), Facts()))
    said = [Heard(one.hazard, one.place.area, one.event_time, one.likelihood_ratio, one.probability) for one in signals]
    assert list(heard_in(tmp_path)(AT - HOUR, AT + HOUR)) == said
    assert len(said) == len(list(Recordings(tmp_path).rows(AT - HOUR, AT + HOUR)))


def test_of_another_time_there_is_nothing(tmp_path: Path, signals: list[Signal]) -> None:
    rows = [Row(one, 0, number, AT) for number, one in enumerate(signals)]
    (tmp_path / "2012-01-30.parquet").write_bytes(file_of(table_of(rows), Facts()))
    assert list(heard_in(tmp_path)(AT + HOUR, AT + 2 * HOUR)) == []
