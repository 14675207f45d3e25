"""The crisis clock in one line, and whether what people perceive was declared in another."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from connectors.sinks.timing import declared, timed
from records import Alert, CrisisClock, Declaration

AT = datetime(2012, 1, 30, 7, 37, tzinfo=UTC)


def test_an_alert_without_a_clock_says_nothing(alert: Alert) -> None:
    assert (timed(alert, "fr"), declared(alert, "fr")) == ("", "")


def test_the_silence_is_told_until_an_authority_speaks(alert: Alert) -> None:
    silent = CrisisClock(first_post=AT, first_witness=AT, first_picture=AT + timedelta(minutes=72), silent_minutes=79)
    told = replace(alert, clock=silent)
    assert timed(told, "fr") == "Horloge : témoin 08:37 · image 09:49 · aucune parole officielle en 79 min"
    spoke = replace(silent, first_authority=AT + timedelta(minutes=79))
    assert timed(replace(alert, clock=spoke), "en") == "Clock: witness 08:37 · picture 09:49 · authority 09:56"


@pytest.mark.parametrize(
    ("declaration", "line"),
    [
        (Declaration(outcome="declared", bulletin_id="x"), "Déclaré : une annonce correspond, à vérifier"),
        (Declaration(outcome="does_not_fit", minutes=12), "Déclaré, mais rien qui corresponde en 12 min"),
        (
            Declaration(outcome="undeclared", minutes=47, duty="Port", number="00 00 00 00 00"),
            "Non déclaré depuis 47 min · appeler Port, 00 00 00 00 00",
        ),
    ],
)
def test_whom_to_call_is_told(declaration: Declaration, line: str, alert: Alert) -> None:
    assert declared(replace(alert, declaration=declaration), "fr") == line
