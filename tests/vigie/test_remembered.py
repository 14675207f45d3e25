"""A reader that reads once what many say: the same readings, asked for less often."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.hazard import HazardModel
from models.reading import PostReading
from vigie.one_by_one import OneByOne
from vigie.remembered import Remembered

FIRE = "Grosse fumée noire au-dessus de la centrale, ça brûle fort par ici ce matin"
DENIAL = "Grosse fumée noire sur le port, la mairie dément tout incendie"
LUNCH = "Bon appétit à tous"


class Counting:
    """The shipped model, a text at a time, which notes what it is asked."""

    def __init__(self, reader: OneByOne) -> None:
        self.reader = reader
        self.version = reader.version
        self.asked: list[tuple[str, str | None]] = []

    def read(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[PostReading]:
        self.asked += zip(texts, langs, strict=True)
        return self.reader.read(texts, langs)


@pytest.fixture(scope="module")
def model() -> OneByOne:
    return OneByOne(HazardModel.load())


def remembered(model: OneByOne, most: int = 2_000) -> tuple[Remembered, Counting]:
    counting = Counting(model)
    return Remembered(counting, most), counting


SAID = st.sampled_from([(FIRE, "fr"), (FIRE, None), (DENIAL, "fr"), (LUNCH, None), ("", None)])


@settings(max_examples=40)
@given(st.lists(st.lists(SAID, max_size=6), max_size=8))
def test_the_same_readings_come_however_often_and_together_with_what_they_are_asked(
    model: OneByOne, batches: list[list[tuple[str, str | None]]]
) -> None:
    reader, counting = remembered(model, most=2)
    for batch in batches:
        texts, langs = [text for text, _ in batch], [lang for _, lang in batch]
        before = len(counting.asked)
        assert reader.read(texts, langs) == model.read(texts, langs)
        new = counting.asked[before:]
        assert len(new) == len(set(new))
        assert set(new) <= set(batch)


def test_what_was_read_of_late_is_not_read_again_and_what_was_longer_ago_is(model: OneByOne) -> None:
    reader, counting = remembered(model, most=2)
    for text in (FIRE, DENIAL, FIRE, LUNCH, FIRE, DENIAL):
        reader.read([text], ["fr"])
    assert [text for text, _ in counting.asked] == [FIRE, DENIAL, LUNCH, DENIAL]


def test_the_language_that_is_named_counts(model: OneByOne) -> None:
    reader, counting = remembered(model)
    reader.read([FIRE, FIRE], ["fr", "en"])
    assert counting.asked == [(FIRE, "fr"), (FIRE, "en")]


def test_no_words_are_kept(model: OneByOne) -> None:
    reader, _ = remembered(model)
    reader.read([FIRE], ["fr"])
    kept = repr(reader._kept)
    assert "centrale" not in kept
    assert len(reader._kept) == 1


def test_nobody_else_can_make_the_mark_of_a_text(model: OneByOne) -> None:
    readers = [remembered(model)[0] for _ in range(2)]
    for reader in readers:
        reader.read([FIRE], ["fr"])
    assert not readers[0]._kept.keys() & readers[1]._kept.keys()


def test_a_batch_that_fails_leaves_nothing_behind(model: OneByOne) -> None:
    class Broken(OneByOne):
        def read(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[PostReading]:
            raise RuntimeError("told to break")

    reader = Remembered(Broken(model.reader))
    with pytest.raises(RuntimeError):
        reader.read([FIRE], ["fr"])
    reader.reader = model
    assert reader.read([FIRE], ["fr"]) == model.read([FIRE], ["fr"])


def test_the_process_that_reads_brings_none_of_the_rooms_that_it_does_not_need() -> None:
    """It would hold their modules in memory, beside the model, in every worker."""
    program = (
        "import sys\nimport vigie.remembered, vigie.reader_process, vigie.loading, models.hazard, vigie.one_by_one\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('detectors', 'streams', 'connectors', 'faust')])"
    )
    found = subprocess.run(  # noqa: S603  the program stands above
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert found.stdout.strip() == "[]"
