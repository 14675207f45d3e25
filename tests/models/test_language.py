"""Language: short posts, platform tags that are right, missing or wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.language import LANGUAGES, LanguageModel
from models.language_letters import cut_from_package, read_arrays
from models.posts_corpus import CORPUS, read_part

MODEL = LanguageModel()


@pytest.mark.parametrize(
    ("text", "given_language", "language"),
    [
        pytest.param("il y a le feu dans la rue", None, "fr", id="French"),
        pytest.param("there is a fire in the street", None, "en", id="English"),
        pytest.param("hay un incendio en la refinería y no podemos salir", None, "es", id="Spanish"),
        pytest.param("fumée", "fr", "fr", id="too short, the platform knows"),
        pytest.param("fumée noire", "fr-CA", "fr", id="tag with a region"),
        pytest.param("il y a le feu dans la rue, on ne peut pas sortir de chez nous", "en", "fr", id="wrong tag"),
        pytest.param("il y a le feu dans la rue", "und", "fr", id="undetermined"),
        pytest.param("", None, None, id="empty"),
        pytest.param("🔥🔥", None, None, id="emojis"),
        pytest.param("ok", None, None, id="too short"),
    ],
)
def test_names_the_language(text: str, given_language: str | None, language: str | None) -> None:
    assert MODEL.languages([text], [given_language]) == [language]


def test_is_right_on_nearly_all_of_the_corpus() -> None:
    posts = read_part(CORPUS / "train")
    found = MODEL.languages([post.text for post in posts], [None] * len(posts))
    assert sum(language == post.language for language, post in zip(found, posts, strict=True)) >= 0.97 * len(posts)


def test_the_letters_that_ship_are_those_of_the_package() -> None:
    shipped, cut = read_arrays(), cut_from_package(LANGUAGES)
    assert shipped.keys() == cut.keys(), "run vigie build-languages"
    for name, array in cut.items():
        assert shipped[name].dtype == array.dtype
        assert np.array_equal(shipped[name], array), "run vigie build-languages"


@given(st.lists(st.text(max_size=100), max_size=3))
def test_any_text_gets_an_answer(texts: list[str]) -> None:
    answers = MODEL.languages(texts, [None] * len(texts))
    assert all(answer is None or len(answer) == 2 for answer in answers)
