"""Le Havre, the first Wednesday of March, noon: the sirens are tested, and some take them for an alert."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.stories.telling import Raised, Told

pytestmark = pytest.mark.broker

Describe = Callable[["list[Raised]"], str]


@pytest.fixture(scope="module")
def told(tell: Callable[[str], "Told"]) -> "Told":
    return tell("siren_test")


def test_what_it_raises_bears_the_test_as_a_possible_explanation(told: "Told", describe: Describe) -> None:
    (incident,) = [one for one in told.incidents if one.notified]
    for alert in incident.revisions:
        (siren,) = alert.context
        assert (siren.kind, siren.fits) == ("siren_test", True), describe([incident])
        assert siren.because["fr"] == "même endroit, même moment, sirènes annoncées"
        assert alert.declaration is not None
        assert alert.declaration.outcome == "declared"


def test_it_is_no_alert_and_no_silence(told: "Told", describe: Describe) -> None:
    assert not told.alerts, describe(told.alerts)
    assert told.false_watches, "a declaration never silences a watch"
