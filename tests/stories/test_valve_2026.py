"""Le Havre, 18 January 2026: a valve roars by night; one site had declared a shutdown, and was not the source."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from records import Alert
    from tests.stories.telling import Raised, Told

pytestmark = pytest.mark.broker

Describe = Callable[["list[Raised]"], str]


@pytest.fixture(scope="module")
def told(tell: Callable[[str], "Told"]) -> "Told":
    return tell("valve_2026")


@pytest.fixture(scope="module")
def revisions(told: "Told") -> "tuple[Alert, ...]":
    (incident,) = told.notified("noise")
    return incident.revisions


def test_the_noise_is_an_alert_within_a_quarter_of_an_hour_whatever_was_declared(
    told: "Told", describe: Describe
) -> None:
    alert_at = told.alert_at("noise")
    assert alert_at is not None, describe(list(told.incidents))
    assert alert_at - told.first_posts["noise"] <= timedelta(minutes=15), describe(told.notified("noise"))


def test_what_was_declared_is_shown_with_why_it_does_not_fit(revisions: "tuple[Alert, ...]") -> None:
    for alert in revisions:
        because = {one.text.split(" : ", maxsplit=1)[0]: one.because["fr"] for one in alert.context}
        assert because == {"Yara Le Havre": "n’annonce pas de bruit", "Usine de Port-Jérôme": "à 22 km à l’est"}
        assert alert.declaration is not None
        assert alert.declaration.outcome == "does_not_fit"


def test_nothing_that_comes_a_day_later_explains_it_backwards(told: "Told", revisions: "tuple[Alert, ...]") -> None:
    assert not any(one.fits for alert in revisions for one in alert.context)
    assert revisions[-1].raised_at < told.tale.at("+2 11:00:00")


def test_the_silence_of_authorities_is_told_and_grows(revisions: "tuple[Alert, ...]") -> None:
    silent = [alert.clock.silent_minutes for alert in revisions if alert.clock is not None]
    assert len(silent) == len(revisions)
    assert silent == sorted(silent)
    assert silent[-1] > 600
    assert all("no_official_word" in alert.unknowns for alert in revisions)
    said = [alert.explanation["fr"] for alert in revisions if alert.level in ("alert", "monitoring")]
    assert any("aucune parole officielle depuis 39 minutes" in text for text in said), said


def test_the_clock_has_the_first_witness_and_the_first_picture(told: "Told", revisions: "tuple[Alert, ...]") -> None:
    clock = revisions[-1].clock
    assert clock is not None
    assert clock.first_witness == told.tale.at("23:47:20")
    assert clock.first_picture == told.tale.at("+1 00:27:15")
    assert (clock.first_press, clock.first_operator, clock.first_authority) == (None, None, None)
