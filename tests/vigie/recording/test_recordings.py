"""`vigie recording`: what there is, out into a file, and in again beside what was recorded here."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from msgspec.structs import replace

from records import ManualClock, ProfileChange, SettingsError, Signal, Statement, SystemClock, Verdict
from streams.settings import StreamSettings
from vigie import sweeping
from vigie.check import CHECKS
from vigie.console_assembly import recorder_of
from vigie.recorder import Recorder
from vigie.recording import Facts, file_of, table_in
from vigie.recordings import Recordings
from vigie.settings import Settings, load

Vigie = Callable[..., Result]


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Write settings whose data folder is that of the recordings."""
    path = tmp_path / "vigie.toml"
    path.write_text('[data]\ndir = "."\n', encoding="utf-8")
    return path


@pytest.fixture
def filled(
    recorder_for: Callable[..., Recorder],
    recordings: Recordings,
    line: Any,
    heard: Callable[..., Signal],
    clock: ManualClock,
) -> Recordings:
    """Record two days, the second with a post elsewhere."""
    recorder = recorder_for()
    recorder.take(line.of(heard(1), heard(2), at=clock.now()))
    recorder.write()
    clock.advance(timedelta(days=1))
    elsewhere = heard(4)
    elsewhere = replace(elsewhere, place=replace(elsewhere.place, dep="33"))
    recorder.take(line.of(heard(3), elsewhere, at=clock.now()))
    recorder.write()
    return recordings


def keys(rows: Any) -> list[str]:
    return [row.record.post_key.removeprefix("bluesky:post-") for row in rows]


def test_a_span_and_an_area_are_read(filled: Recordings, clock: ManualClock) -> None:
    day, now = timedelta(days=1), clock.now()
    assert keys(filled.rows()) == ["1", "2", "3", "4"]
    assert keys(filled.rows(now - day, now)) == ["1", "2"]
    assert keys(filled.rows(now)) == ["3", "4"]
    assert keys(filled.rows(areas=["33"])) == ["4"]
    assert keys(filled.rows(now + day)) == []


def test_it_goes_out_and_comes_in_beside_what_was_recorded_here(
    filled: Recordings, vigie: Vigie, settings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "havre.parquet"
    done = vigie("recording", "export", out, "--to", "2012-01-31", "--area", "76", "--settings", settings)
    assert done.exit_code == 0, done.output
    assert "2 rows" in done.output
    done = vigie("recording", "import", out, "--settings", settings)
    assert done.exit_code == 0, done.output
    assert done.output == f"{out}: 2 rows, as havre\n"
    here, there = list(filled.rows())[:2], list(filled.rows_of("havre"))
    assert [replace(one.record, author_id="") for one in there] == [replace(one.record, author_id="") for one in here]
    assert keys(filled.rows()) == ["1", "2", "3", "4"]  # not among what was recorded here
    assert "author-1" not in str(pq.read_table(out).to_pylist())
    assert len({row.record.author_id for row in there}) == 2


def test_what_goes_out_does_not_say_who_of_the_cell_decided(
    recorder_for: Callable[..., Recorder],
    recordings: Recordings,
    line: Any,
    heard: Callable[..., Signal],
    split: Callable[..., Statement],
    tmp_path: Path,
    clock: ManualClock,
) -> None:
    recorder, decided = recorder_for(), split("bluesky:post-1")
    assert isinstance(decided.said, Verdict)
    first = replace(decided, said=replace(decided.said, decided_by="jeanne", reason="vu par Paul"))
    other = replace(decided, said=replace(decided.said, decided_by="paul", decision_id="d2"))
    back = ProfileChange(
        change_id="c1",
        name="",
        version="",
        toml="",
        proposed_by="jeanne",
        approved_by="",
        decided_at=clock.now(),
        reason="back, by jeanne",
    )
    recorder.take(line.of(heard(1), first, other, replace(first, hazard="flood"), back))
    recorder.write()
    recordings.export(tmp_path / "case.parquet", None, None)
    recordings.take_in(tmp_path / "case.parquet", clock.now())
    records = [row.record for row in recordings.rows_of("case")]
    statements = [one for one in records if isinstance(one, Statement)]
    said = [one.said for one in statements if isinstance(one.said, Verdict)]
    assert [(one.decided_by, one.reason) for one in said] == [
        ("somebody 1", ""),
        ("somebody 2", ""),
        ("somebody 1", ""),
    ]
    assert said[0].post_keys == ("bluesky:post-1",)
    assert records[-1] == replace(back, proposed_by="somebody 1", reason="")


def test_what_there_is_is_shown(filled: Recordings, vigie: Vigie, settings: Path) -> None:
    done = vigie("recording", "show", "--settings", settings)
    assert done.exit_code == 0, done.output
    assert "4 signals in 2 files" in done.output
    filled.days[0].write_bytes(b"torn")
    assert vigie("recording", "show", "--settings", settings).exit_code == 1


def test_a_file_that_cannot_be_read_is_told_by_the_check(
    filled: Recordings, settings: Path, problems: Callable[[str, str], list[str]]
) -> None:
    toml = settings.read_text(encoding="utf-8")
    assert problems(toml, "recording") == []
    filled.days[0].write_bytes(b"torn")
    (problem,) = problems(toml, "recording")
    assert problem.startswith("recording/2012-01-30.parquet: cannot be read as a recording")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--from", "yesterday"], "--from yesterday: not a moment", id="no moment"),
        pytest.param(["--area", "99"], "nothing was recorded then and there", id="nothing there"),
        pytest.param(["--from", "2013-01-01"], "nothing was recorded then and there", id="nothing then"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    arguments: list[str], said: str, filled: Recordings, vigie: Vigie, settings: Path, tmp_path: Path
) -> None:
    done = vigie("recording", "export", tmp_path / "out.parquet", *arguments, "--settings", settings)
    assert done.exit_code == 2
    assert said in done.output
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param("perceived", "La centrale brûle", id="a text where the gist is"),
        pytest.param("hazard", "plague", id="no such hazard"),
        pytest.param("event_time", None, id="no moment"),
        pytest.param("written_at", None, id="nobody knows when"),
        pytest.param("kind", "rumour", id="no such kind"),
        pytest.param("place.lat", 2000.0, id="off the earth"),
        pytest.param("versions", "{", id="no JSON"),
    ],
)
def test_what_is_not_as_vigie_records_it_is_not_taken_in(
    column: str, value: Any, filled: Recordings, tmp_path: Path, clock: ManualClock
) -> None:
    table = table_in(filled.days[0])
    index, path = table.schema.get_field_index(column), tmp_path / "spoilt.parquet"
    values = pa.array([table[column].to_pylist()[0], value], table.schema.field(index).type)
    path.write_bytes(file_of(table.set_column(index, table.schema.field(index), values), Facts()))
    with pytest.raises(SettingsError, match=r"spoilt.parquet: row 2: .*give a file that Vigie wrote"):
        filled.take_in(path, clock.now())
    assert not filled.imported


def test_a_name_that_is_taken_is_refused_and_so_is_one_that_is_not_there(
    filled: Recordings, tmp_path: Path, clock: ManualClock
) -> None:
    filled.export(tmp_path / "case.parquet", None, None)
    filled.take_in(tmp_path / "case.parquet", clock.now())
    with pytest.raises(SettingsError, match="was taken in already"):
        filled.take_in(tmp_path / "case.parquet", clock.now())
    with pytest.raises(SettingsError, match="there is case"):
        list(filled.rows_of("cases"))


def test_the_sweep_lets_go_of_what_is_too_old_though_no_broker_answers(
    filled: Recordings, vigie: Vigie, settings: Path
) -> None:
    assert len(filled.days) == 2  # of 2012
    done = vigie("privacy", "sweep", "--settings", settings)
    assert "recording: 2012-01-30.parquet let go\nrecording: 2012-01-31.parquet let go\n" in done.output
    assert not filled.days


@pytest.mark.parametrize(("port", "left"), [(0, 0), (8600, 2)], ids=["the edge", "its recorder, not the edge"])
async def test_without_a_console_the_edge_lets_go(
    port: int, left: int, filled: Recordings, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "FIRST_SECS", 0.0)
    monkeypatch.setenv("VIGIE_CONSOLE_PORT", str(port))
    task = asyncio.create_task(sweeping.let_go_for_ever(load(settings), SystemClock()))
    for _ in range(100 if left == 0 else 10):
        await asyncio.sleep(0.05)
        if not filled.days:
            break
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(filled.days) == left


def test_without_its_library_nothing_is_recorded_and_the_check_says_so(
    tmp_path: Path, clock: ManualClock, loaded: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = loaded(f'[data]\ndir = "{tmp_path}"\n')
    streams = StreamSettings(kafka_url="kafka://127.0.0.1:1", data_dir=tmp_path)
    assert recorder_of(settings, streams, clock) is not None
    off = loaded(f'[data]\ndir = "{tmp_path}"\n[recording]\nis_on = false\n')
    assert recorder_of(off, streams, clock) is None  # nothing was recorded yet
    Recordings(tmp_path / "recording").folder.mkdir()
    assert recorder_of(off, streams, clock) is not None  # and what was goes on forgetting
    monkeypatch.setattr("vigie.settings.find_spec", lambda _: None)
    assert recorder_of(settings, streams, clock) is None
    (problem,) = CHECKS["recording"](settings)
    assert (
        str(problem)
        == "recording: its library is not installed; pip install -e '.[recording]' in the checkout, or is_on = false"
    )
