"""How long a text is: the GSM alphabet, pages of a cell broadcast, SMS and their parts, social networks."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.messages.channels import (
    BASIC,
    EXTENDED,
    MOST_PAGES,
    PAGE,
    UCS2_PAGE,
    Channel,
    foreign,
    in_gsm,
    length_on,
    page_length,
    pages_of,
    septets,
    substitute,
)

GSM_TEXTS = st.text(st.sampled_from(sorted((BASIC | EXTENDED) - {"\r", "\f"})) | st.just(" "), max_size=600)
WORDS = st.lists(st.text("abcdefgé€[", min_size=1, max_size=20), max_size=120).map(" ".join)


@pytest.mark.parametrize(
    ("char", "instead"),
    [
        *((char, char) for char in "éèàùÇÉ€"),
        *zip("êçîôûÀ’", "eciouA'", strict=True),
        *[("œ", "oe"), ("…", "..."), ("ж", ""), ("🔥", "")],
    ],
)
def test_what_stands_for_a_character_in_the_gsm_alphabet(char: str, instead: str) -> None:
    assert substitute(char) == instead


def test_the_alphabet_has_its_127_characters_and_ten_more() -> None:
    assert (len(BASIC), len(EXTENDED)) == (127, 10)


@pytest.mark.parametrize(
    ("channel", "text", "units", "parts", "fits"),
    [
        pytest.param("sms", "a" * 160, 160, 1, True, id="one SMS"),
        pytest.param("sms", "a" * 161, 161, 2, True, id="one more takes two of 153"),
        pytest.param("sms", "a" * 306, 306, 2, True, id="two full ones"),
        pytest.param("sms", "a" * 307, 307, 3, True, id="three"),
        pytest.param("sms", "a" * 460, 460, 4, False, id="four are too many"),
        pytest.param("sms", "€" * 80, 160, 1, True, id="the euro takes two"),
        pytest.param("sms", "a" * 152 + "€" + "a" * 10, 164, 2, True, id="an escape is not torn from its sign"),
        pytest.param("sms", "ê" * 70, 70, 1, True, id="70 of another alphabet"),
        pytest.param("sms", "ê" * 71, 71, 2, True, id="then 67"),
        pytest.param("sms", "ê" * 135, 135, 3, True, id="three of 67"),
        pytest.param("sms", "🔥" * 35, 70, 1, True, id="what lies beyond the basic plane takes two"),
        pytest.param("social", "é" * 280, 280, 1, True, id="280 letters"),
        pytest.param("social", "é" * 281, 281, 1, False, id="281 are too many"),
        pytest.param("social", "e\N{COMBINING ACUTE ACCENT}" * 280, 280, 1, True, id="an accent apart"),
        pytest.param("social", "🔥", 2, 1, True, id="a picture takes two"),
        pytest.param("cell", "a" * PAGE, 93, 1, True, id="a full page"),
        pytest.param("cell", "ab " * 31 * MOST_PAGES, 93, 15, True, id="fifteen full pages"),
        pytest.param("cell", "a" * (PAGE * MOST_PAGES + 1), 93, 16, False, id="sixteen are too many"),
    ],
)
def test_lengths(channel: Channel, text: str, units: int, parts: int, *, fits: bool) -> None:
    length = length_on(channel, text)
    assert (length.units, length.parts, length.fits) == (units, parts, fits)


@given(GSM_TEXTS | WORDS)
def test_pages_give_the_text_again_and_hold_93_at_most(text: str) -> None:
    pages = pages_of(text)
    assert "".join(pages) == text
    assert all(0 < septets(page) <= PAGE for page in pages)


@given(st.text(max_size=300))
def test_pages_of_any_text_give_it_again_and_fit(text: str) -> None:
    pages = pages_of(text)
    assert "".join(pages) == text
    assert all(page_length(page).units <= (UCS2_PAGE if foreign(text) else PAGE) for page in pages)


@given(GSM_TEXTS | WORDS)
def test_a_word_is_broken_only_where_it_is_longer_than_a_page(text: str) -> None:
    pages = pages_of(text)
    for before, after in pairwise(pages):
        if not before[-1].isspace() and not after[0].isspace():
            word = before.split()[-1] + after.split()[0]
            assert before == before.lstrip()
            assert len(before.split()) == 1
            assert septets(word) > PAGE


@given(WORDS)
def test_no_page_is_left_that_the_next_word_would_have_fitted_on(text: str) -> None:
    pages = pages_of(text)
    for before, after in pairwise(pages):
        assert septets(before) + septets(after.split(" ")[0] or " ") > PAGE


@given(st.text(max_size=100))
def test_what_was_put_into_the_alphabet_stays_as_it_is(text: str) -> None:
    once = in_gsm(text)
    assert in_gsm(once) == once
    assert set(foreign(once)) <= set(unicodedata.normalize("NFC", text))
