"""Gonfreville, an evening in March: a flare that was declared. It is shown as declared, and told like any other."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from records import Alert
    from tests.stories.telling import Told

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def told(tell: Callable[[str], "Told"]) -> "Told":
    return tell("declared_flare")


@pytest.fixture(scope="module")
def unannounced(tell: Callable[[str], "Told"]) -> "Told":
    return tell("the_same_flare_unannounced")


def revisions_of(told: "Told") -> "tuple[Alert, ...]":
    (incident,) = told.notified("flare")
    return incident.revisions


def test_it_is_shown_as_declared_with_what_fits(told: "Told") -> None:
    for alert in revisions_of(told):
        (notice,) = alert.context
        assert (notice.fits, notice.because["en"]) == (True, "same place, same time, flames announced")
        assert alert.declaration is not None
        assert (alert.declaration.outcome, alert.declaration.bulletin_id) == ("declared", notice.bulletin_id)
        assert "Déclaré, explication possible selon" in alert.explanation["fr"]


def test_it_is_told_as_if_nobody_had_declared_anything(told: "Told", unannounced: "Told") -> None:
    def history(told: "Told") -> list[tuple[Any, ...]]:
        return [
            (alert.level, alert.raised_at, alert.score, alert.probability, alert.certainty, alert.severity)
            for alert in revisions_of(told)
        ]

    assert history(told) == history(unannounced)


def test_the_operator_has_spoken_and_the_authorities_have_not(told: "Told") -> None:
    clock = revisions_of(told)[-1].clock
    assert clock is not None
    assert clock.first_operator == told.tale.at("19:05:00")
    assert clock.first_authority is None
