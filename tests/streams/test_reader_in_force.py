"""The reader in force: the newest change holds, after a restart too; a model that is not here leaves the one before."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from records import BrokenInvariant, ModelChange, encode
from streams.metrics import WORKER
from streams.reader_in_force import ReaderInForce, kept_change, models_folder
from tests.streams.conftest import StubReader

FIRST, SECOND = "1" * 64, "2" * 64
AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


class Named(StubReader):
    """A stub that says by which name it reads."""

    def __init__(self, version: str) -> None:
        self.version = version


def load(folder: Path) -> Named:
    """Load a stub by the name of its folder, which must be there."""
    if not folder.is_dir():
        raise BrokenInvariant(f"{folder}: is not there")
    return Named(folder.name[:1])


def change(digest: str, minutes: int = 0, **changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "change_id": f"c{minutes}",
        "digest": digest,
        "version": f"hazard/4+{digest[:12]}",
        "proposed_by": "analyste",
        "approved_by": "chef" if digest else "",
        "decided_at": AT + timedelta(minutes=minutes),
    }
    return encode(ModelChange(**{**fields, **changes}))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for digest in (FIRST, SECOND):
        (models_folder(tmp_path) / digest).mkdir(parents=True)
    return tmp_path


def reader(data: Path) -> ReaderInForce:
    return ReaderInForce(Named("shipped"), load, data)


def test_the_shipped_model_reads_until_somebody_decides(data: Path) -> None:
    assert reader(data).version == "shipped"


def test_the_newest_change_holds_in_whatever_order_they_come(data: Path) -> None:
    found = reader(data)
    found.take(change(SECOND, 2))
    found.take(change(FIRST, 1))
    assert found.version == "2"


def test_there_is_a_way_back(data: Path) -> None:
    found = reader(data)
    found.take(change(FIRST, 1))
    found.take(change("", 2))
    assert found.version == "shipped"
    assert reader(data).version == "shipped"


def test_it_outlives_a_restart_when_the_topic_has_forgotten(data: Path) -> None:
    reader(data).take(change(FIRST, 1))
    assert reader(data).version == "1"


def test_one_that_is_not_here_leaves_the_one_before_and_is_told_of(data: Path) -> None:
    found = reader(data)
    found.take(change(FIRST, 1))
    found.take(change("3" * 64, 2))
    assert found.version == "1"
    assert "hazard/4+333333333333 should read here, and cannot" in found.lacking
    assert WORKER.get_sample_value("vigie_model_lacking") == 1


def test_it_is_taken_up_once_somebody_has_brought_it_here(data: Path) -> None:
    found = reader(data)
    found.take(change("3" * 64, 2))
    (models_folder(data) / ("3" * 64)).mkdir()
    found.look_again()
    assert (found.version, found.lacking) == ("3", "")
    assert WORKER.get_sample_value("vigie_model_lacking") == 0


def test_one_that_loads_while_the_next_is_decided_does_not_displace_it(data: Path) -> None:
    is_loading, may_go_on = Event(), Event()

    def slowly(folder: Path) -> Named:
        found = load(folder)
        if found.version == "3":
            is_loading.set()
            may_go_on.wait(10)
        return found

    found = ReaderInForce(Named("shipped"), slowly, data)
    found.take(change("3" * 64, 1))
    (models_folder(data) / ("3" * 64)).mkdir()
    with ThreadPoolExecutor() as threads:
        looking = threads.submit(found.look_again)
        assert is_loading.wait(10)
        taking = threads.submit(found.take, change(SECOND, 2))
        wait([taking], timeout=0.2)  # it may be done, or wait its turn
        may_go_on.set()
        wait([looking, taking], timeout=10)
    assert found.version == "2"


@pytest.mark.parametrize("value", [b"", b"nonsense", b'{"type":"verdict"}'])
def test_what_is_no_change_changes_nothing(value: bytes, data: Path) -> None:
    found = reader(data)
    found.take(value)
    assert found.version == "shipped"


def test_a_file_that_is_none_of_ours_is_refused(data: Path) -> None:
    (models_folder(data) / "in-force.json").write_text("{", encoding="utf-8")
    with pytest.raises(BrokenInvariant, match="put it back from a backup"):
        kept_change(data)
