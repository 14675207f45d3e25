"""Why: the words named are those that the reading rests on, in words that an officer understands."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from models.hazard import HazardModel
from models.why import Reason, Why, why

SPOKEN = {"fumée": 2.0, "noire": 0.1, "usine": 1.0, "exercice": -3.0}


class Adding:
    """A reader whose log-odds of an industrial accident now are the sum of its words' weights."""

    def probabilities(self, texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        verdicts = np.full((len(texts), 9), 0.01)
        for row, text in enumerate(texts):
            verdicts[row, 6] = 1 / (1 + np.exp(-sum(SPOKEN.get(word, 0.0) for word in text.split())))
        return verdicts, np.ones((len(texts), 6)) / 6


@pytest.fixture(scope="module")
def model() -> HazardModel:
    return HazardModel.load()


def test_names_the_words_that_weigh_and_by_how_much() -> None:
    told = why(Adding(), "fumée noire à la usine pour un exercice")
    assert told.hazard == "industrial"
    assert [reason.words for reason in told.reasons] == ["exercice", "fumée", "usine"]
    assert [reason.factor for reason in told.reasons] == pytest.approx([np.exp(-3), np.exp(2), np.exp(1)], rel=0.01)


def test_says_so_in_both_languages() -> None:
    told = Why(
        hazard="fire",
        probability=0.94,
        reasons=(Reason(words="fumée", factor=12.0), Reason(words="exercice", factor=0.125)),
    )
    assert told.sentence("fr") == "feu 94 % : pour « fumée » (x12) ; contre « exercice » (x8)"
    assert told.sentence("en") == 'fire 94%: for "fumée" (x12); against "exercice" (x8)'
    assert Why(hazard="flood", probability=0.01, reasons=()).sentence("fr") == (
        "inondation 1 % : aucun mot ne pèse à lui seul"
    )


@pytest.mark.parametrize(
    ("text", "hazard", "named"),
    [
        pytest.param("grosse fumée noire, l'entrepôt brûle", "fire", {"brûle", "fumée", "noire"}, id="fire"),
        pytest.param(
            "the river burst its banks and our street is under water", "flood", {"river", "water"}, id="flood"
        ),
        pytest.param(
            "forte odeur de gaz près de la raffinerie", "industrial", {"gaz", "odeur", "raffinerie"}, id="gas"
        ),
    ],
)
def test_real_readings_rest_on_words_of_the_danger(model: HazardModel, text: str, hazard: str, named: set[str]) -> None:
    told = why(model, text)
    assert told.hazard == hazard
    words = {word for reason in told.reasons for word in reason.words.replace(",", "").split()}
    assert words & named


@pytest.mark.parametrize("factor", [1000.0, 0.001])
def test_the_strongest_factor_is_told_as_a_number(factor: float) -> None:
    told = Why(hazard="fire", probability=1.0, reasons=(Reason(words="flammes", factor=factor),))
    assert "« flammes » (x1000)" in told.sentence("fr")


@pytest.mark.parametrize("text", ["", "🔥🔥 🚒", "x" * 80, "\x00\x01"])
def test_what_cannot_be_read_has_no_reasons(model: HazardModel, text: str) -> None:
    told = why(model, text)
    assert told.reasons == ()
    [reading] = model.read([text], [None])
    assert told.probability == pytest.approx(reading.class_shares[told.hazard], abs=1e-5)


def test_a_long_text_has_few_reasons(model: HazardModel) -> None:
    assert len(why(model, "mot " * 300).reasons) <= 5
