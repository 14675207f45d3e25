"""Gonfreville, a morning in March: many see the smoke of the refinery, nobody declares it; whom to call is told."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from records import Alert
    from tests.stories.telling import Told

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def revisions(tell: "Callable[[str], Told]") -> "tuple[Alert, ...]":
    (incident,) = tell("undeclared").notified("smoke")
    return incident.revisions


def test_every_revision_says_for_how_long_nobody_has_declared_it(revisions: "tuple[Alert, ...]") -> None:
    minutes = [
        one.declaration.minutes for one in revisions if one.declaration and one.declaration.outcome == "undeclared"
    ]
    assert len(minutes) == len(revisions)
    assert minutes == sorted(minutes)
    assert minutes[-1] > 45


def test_the_number_of_the_site_goes_before_that_of_the_area(revisions: "tuple[Alert, ...]") -> None:
    calls = {(one.declaration.duty, one.declaration.number) for one in revisions if one.declaration}
    assert calls == {("Raffinerie, poste de garde", "00 00 00 00 00")}


def test_the_sentence_says_so(revisions: "tuple[Alert, ...]") -> None:
    told = next(one for one in revisions if one.declaration and one.declaration.minutes == 46)
    assert told.level == "alert"
    assert "Non déclaré depuis 46 minutes" in told.explanation["fr"]
    assert "appeler Raffinerie, poste de garde, 00 00 00 00 00." in told.explanation["fr"]
    assert "Undeclared for 46 minutes: call Raffinerie, poste de garde" in told.explanation["en"]
