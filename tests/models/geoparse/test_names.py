"""The table of names is what the code collects, and a text is searched for all of them."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geoparse.index import NameIndex
from models.geoparse.names import NAME_COLUMNS, NAMES_TABLE, Meaning, table_of
from models.places import Gazetteer
from models.places.gazetteer import FILES
from models.places.tables import read_table

WORDS = [
    "", "le", "havre", "au", "saint", "st", "denis", "bors", "canton", "de", "charente", "sud", "new", "york", "city",
    "lehavre", "la", "rochelle", "sainte", "barbe", "x", "76",
]  # fmt: skip


@cache
def index() -> NameIndex:
    return NameIndex(Gazetteer())


def test_the_table_that_ships_is_what_the_code_collects() -> None:
    names, meanings = read_table(FILES / NAMES_TABLE, NAME_COLUMNS)
    shipped = list(zip(names, meanings, strict=True))
    collected = table_of(Gazetteer())
    assert set(shipped) ^ set(collected) == set(), "run vigie build-names"
    assert len(shipped) == len(collected)


@pytest.mark.parametrize(
    "meaning",
    [
        pytest.param(Meaning(), id="nothing"),
        pytest.param(Meaning(rows=(1, 30)), id="places"),
        pytest.param(Meaning(joined=(7,)), id="words run together"),
        pytest.param(Meaning(rows=(1,), heads=(2, 3), article="de", is_caps=True), id="all but those"),
    ],
)
def test_a_meaning_is_read_as_it_was_written(meaning: Meaning) -> None:
    assert Meaning.read(meaning.written) == meaning


@given(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join))
@settings(max_examples=300)
def test_every_name_between_two_spaces_is_found_and_nothing_else(text: str) -> None:
    spaces = [at for at, letter in enumerate(text) if letter == " "]
    expected = [
        (before + 1, text[before + 1 : behind])
        for before in spaces
        for behind in spaces
        if before < behind and index().is_name(text[before + 1 : behind])
    ]
    assert sorted(index().names_in(text)) == sorted(expected)


def test_a_name_with_two_spaces_in_a_row_is_found_as_texts_have_it() -> None:
    assert (1, "bors  canton de charente sud") in index().names_in(" bors  canton de charente sud  ")
