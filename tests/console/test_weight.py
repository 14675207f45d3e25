"""How much each post weighs beside the others, and how numbers are shown."""

import pytest

from console.catalogue import Language
from console.deciding.weight import host_of, standing, weighed
from console.figures.figures import figure
from tests.console.made import an_alert, some_evidence


def test_posts_are_told_by_weight_and_beside_the_heaviest() -> None:
    contributions = (0.2, 4.0, 0.0, 3.0, 1.0)
    found = weighed([some_evidence(n, contribution=one) for n, one in enumerate(contributions)])
    assert [(one.post.contribution, one.rank) for one in found] == [
        (4.0, "most"),
        (3.0, "much"),
        (1.0, "some"),
        (0.2, "little"),
        (0.0, "nothing"),
    ]


@pytest.mark.parametrize(
    ("ratio", "strength"),
    [(0.5, "none"), (1.0, "none"), (2.0, "weak"), (9.5, "fair"), (12.0, "strong"), (40.0, "very_strong")],
)
def test_a_likelihood_ratio_has_a_word(ratio: float, strength: str) -> None:
    assert weighed([some_evidence(likelihood_ratio=ratio)])[0].strength == strength


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://piaille.fr/@jean/1", "piaille.fr"),
        ("http://a.example:80/x", "a.example"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("https://[", ""),
        (None, ""),
    ],
)
def test_only_links_of_the_web_may_be_followed(url: str | None, host: str) -> None:
    assert host_of(url) == host


def test_strength_is_told_in_parts_of_both_thresholds() -> None:
    found = standing(an_alert(score=-1.0, thresholds={"watch": 1000.0, "alert": 50_000.0}))
    assert found is not None
    assert found.of_alert == pytest.approx(0.1)
    assert found.of_watch == pytest.approx(5.0)


def test_without_thresholds_there_is_no_strength() -> None:
    assert standing(an_alert(thresholds={})) is None


@pytest.mark.parametrize(
    ("number", "language", "shown"),
    [
        (0.0, "fr", "0"),
        (0.01234, "fr", "0,012"),
        (3.98, "en", "4"),
        (1.25, "fr", "1,2"),
        (12.7, "en", "13"),
        (-0.4, "en", "-0.4"),
        (50_000.0, "fr", "50\N{NARROW NO-BREAK SPACE}000"),
    ],
)
def test_a_number_is_no_more_exact_than_it_is(number: float, language: Language, shown: str) -> None:
    assert figure(number, language) == shown
