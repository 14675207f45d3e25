"""Reading apart: the same readings as in this process; when either process ends, the other one does too."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.hazard import ARRAYS_FILE, CHECKSUMS_FILE, WEIGHTS, HazardModel
from records import BrokenInvariant
from vigie.one_by_one import OneByOne
from vigie.reading_apart import ReadingApart

TEXTS = [
    "Grosse fumée noire au-dessus de la centrale du Havre, ça brûle",
    "The water is in our street, we are stuck upstairs",
    "Bon appétit à tous",
    "",
    "🔥🔥🔥",
    "une phrase " * 400,
]
LANGS = ["fr", "en", None, None, None, "fr"]
WITHIN_SECS = 30.0


@pytest.fixture(scope="module")
def apart() -> Iterator[ReadingApart]:
    reader = ReadingApart(is_exact=True)
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def here() -> OneByOne:
    return OneByOne(HazardModel.load())


def process_of(reader: ReadingApart) -> "subprocess.Popen[bytes]":
    return reader._process


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended, whether anybody has asked for its status or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + WITHIN_SECS
    while not is_gone(pid):
        assert time.monotonic() < deadline, f"process {pid} goes on"
        time.sleep(0.02)


def test_it_reads_as_the_model_does_here(apart: ReadingApart, here: OneByOne) -> None:
    assert apart.version == here.version
    assert apart.read(TEXTS, LANGS) == here.read(TEXTS, LANGS)
    assert apart.read([], []) == []


def test_many_who_ask_at_once_get_their_own_answers(apart: ReadingApart, here: OneByOne) -> None:
    asked = [([text] * size, [lang] * size) for size in (1, 3) for text, lang in zip(TEXTS, LANGS, strict=True)]
    with ThreadPoolExecutor(6) as pool:
        answered = list(pool.map(lambda one: apart.read(*one), asked))
    assert answered == [here.read(*one) for one in asked]


def test_answers_go_to_who_asked_in_whatever_order_they_are_fetched(apart: ReadingApart, here: OneByOne) -> None:
    begun = [apart.begin([text], [lang]) for text, lang in zip(TEXTS, LANGS, strict=True)]
    beside = apart.read(["a fire"], ["en"])
    fetched = [one() for one in reversed(begun)]
    assert fetched == [here.read([text], [lang]) for text, lang in reversed(list(zip(TEXTS, LANGS, strict=True)))]
    assert beside == here.read(["a fire"], ["en"])


def test_questions_longer_than_any_pipe_hold_up_nobody(apart: ReadingApart) -> None:
    texts = ["une phrase bien trop longue, " * 4_000] * 8
    begun = [apart.begin(texts, [None] * len(texts)) for _ in range(6)]
    assert [len(one()) for one in begun] == [len(texts)] * 6


def test_what_cannot_be_asked_costs_only_that_question(apart: ReadingApart) -> None:
    with pytest.raises(UnicodeEncodeError):
        apart.read(["\ud800"], [None])
    with pytest.raises(RuntimeError, match=r"reading failed: ValueError"):
        apart.read(["two", "texts"], [None])
    assert len(apart.read(["a fire"], ["en"])) == 1


def test_weights_that_were_changed_are_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / ARRAYS_FILE).write_bytes((WEIGHTS / ARRAYS_FILE).read_bytes() + b"x")
    (tmp_path / CHECKSUMS_FILE).write_bytes((WEIGHTS / CHECKSUMS_FILE).read_bytes())
    reader = ReadingApart(tmp_path)
    with pytest.raises(BrokenInvariant, match="the weights were changed"):
        reader.get_ready()
    assert process_of(reader).poll() is not None


def test_a_worker_whose_reader_was_killed_is_told_that_its_own_state_is_wrong() -> None:
    reader = ReadingApart()
    reader.get_ready()
    reader.check()
    os.kill(process_of(reader).pid, signal.SIGKILL)
    with pytest.raises(BrokenInvariant, match="the process that reads posts has ended, with status -9"):
        reader.read(["a fire"], ["en"])
    with pytest.raises(BrokenInvariant, match="has ended, with status -9"):
        reader.check()
    reader.close()


def test_it_goes_on_though_it_is_told_to_stop_until_nobody_can_ask_any_more() -> None:
    reader = ReadingApart()
    reader.get_ready()
    pid = process_of(reader).pid
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(pid, number)
    assert len(reader.read(["a fire"], ["en"])) == 1
    del reader
    gc.collect()
    wait_until_gone(pid)


def test_it_ends_with_a_worker_that_is_killed() -> None:
    asks = "from vigie.reading_apart import ReadingApart as R; r = R(); print(r.version, r._process.pid, flush=True)"
    worker = subprocess.Popen(  # noqa: S603  our own
        [sys.executable, "-c", f"{asks}; input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline().split()[-1])
        assert not is_gone(pid)
        worker.kill()
    wait_until_gone(pid)
