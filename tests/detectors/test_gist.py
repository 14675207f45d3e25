"""The gist of a text: what people perceive, and nothing else that they say."""

import pytest

from detectors.perceived import gist_of, perceived_in

TEXTS = (
    "Énorme fumée noire vers le nord, ça vient de la centrale",
    "La torchère de la raffinerie éclaire tout le quartier, bruit assourdissant",
    "On entend les sirènes et ça sent le soufre",
    "Thick smoke to the south-east, and a roaring noise from the south",
    "vers l'est, non, plein sud !",
    "une explosion, la terre a tremblé",
    "le vent souffle vers le nord",
    "bonjour",
    "",
)


@pytest.mark.parametrize("text", TEXTS)
def test_it_says_the_same_of_what_is_perceived(text: str) -> None:
    assert perceived_in([gist_of(text)]) == perceived_in([text])


def test_texts_together_say_the_same_by_their_gists() -> None:
    assert perceived_in(map(gist_of, TEXTS)) == perceived_in(TEXTS)


def test_it_has_no_word_of_the_text() -> None:
    assert gist_of("Énorme fumée noire vers le nord, dit Jeanne Martin") == "[smoke] [to the north]"
    assert gist_of("Jeanne Martin habite ici") == ""
