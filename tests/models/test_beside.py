"""Beside: the same readings are the same; readings that were made worse are said to be worse, with figures."""

import pytest
from msgspec.structs import replace
from sklearn.metrics import average_precision_score

from models.beside import corpus_measures, quiet_measure
from models.posts_corpus import CorpusPost
from models.reading import PostReading
from models.scores import mean_f1


def post(number: int) -> CorpusPost:
    hazards = (("fire",), ("flood",), ("industrial", "fire"), ())[number % 4]
    language = "fr" if number % 8 < 4 else "en"
    return CorpusPost(
        hazards=hazards, actuality="now" if hazards else "other", is_witness=False, text="x",
        source=f"{language}-1", line=number,
    )  # fmt: skip


def reading(hazard: str, actuality: str) -> PostReading:
    said = dict.fromkeys(("fire", "flood", "industrial", "other"), 0.1)
    if hazard != "none":
        said[hazard] = 0.9
    return PostReading(
        language="fr", hazards=said, hazard=hazard, witness=0.1, actuality=actuality,  # type: ignore[arg-type]
        likelihood_ratios=said, class_shares=said,
    )  # fmt: skip


POSTS = [post(number) for number in range(400)]
RIGHT = [reading(one.hazards[0] if one.hazards else "none", one.actuality) for one in POSTS]
WRONG = [reading("none", "past") if n % 10 == 0 else one for n, one in enumerate(RIGHT)]


def test_the_same_readings_are_the_same() -> None:
    for one in corpus_measures(POSTS, RIGHT, RIGHT):
        assert (one.is_, one.low, one.high, one.shipped) == ("same", 0.0, 0.0, 1.0)


def test_worse_ones_are_worse_and_the_other_way_round_better() -> None:
    assert {one.is_ for one in corpus_measures(POSTS, RIGHT, WRONG)} == {"worse"}
    assert {one.is_ for one in corpus_measures(POSTS, WRONG, RIGHT)} == {"better"}


def test_the_score_is_that_of_the_model_card() -> None:
    some = [(one, said) for one, said in zip(POSTS, WRONG, strict=True) if one.language == "fr"]
    expected = mean_f1([frozenset(one.hazards) for one, _ in some], [said.hazard for _, said in some])["mean"]
    precision = average_precision_score(
        [bool(one.hazards) for one, _ in some], [max(list(said.hazards.values())[:3]) for _, said in some]
    )
    found = corpus_measures(POSTS, RIGHT, WRONG)[:2]
    assert [one.name for one in found] == ["hazard, mean F1, fr", "incident or not, average precision, fr"]
    assert [one.candidate for one in found] == pytest.approx([expected, precision], abs=1e-4)


def test_one_more_false_reading_of_many_is_no_difference_that_can_be_told() -> None:
    quiet = [reading("none", "other")] * 1000
    one_false = [replace(quiet[0], hazard="fire"), *quiet[1:]]
    assert quiet_measure("everyday", quiet, one_false).is_ == "same"
    many_false = [reading("fire", "now")] * 40 + quiet[40:]
    assert quiet_measure("everyday", quiet, many_false).is_ == "worse"
