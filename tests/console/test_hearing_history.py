"""When each source was not listened to: states as they were told, gaps in what was read, and what nobody renewed."""

from datetime import datetime
from typing import Any

import pytest

from console.archive.dossier import SourceChange
from console.archive.unheard import Gap
from console.figures.hearing_history import Stretch, history, unheard_of
from tests.console.made import minutes

SINCE, UNTIL = minutes(0), minutes(600)


def change(minute: float, state: str, why: str = "") -> SourceChange:
    return SourceChange(source="bluesky", since=minutes(minute), state=state, why=why)


def gap(begins: float, ends: float) -> Gap:
    return Gap(source="bluesky", since=minutes(begins), until=minutes(ends))


def stretch(kind: Any, begins: float, ends: float, why: str = "") -> Stretch:
    return Stretch(kind, minutes(begins), minutes(ends), why)


@pytest.mark.parametrize(
    ("changes", "gaps", "told_at", "expected"),
    [
        pytest.param(
            [change(-60, "listening")], [], UNTIL, [stretch("listening", 0, 600)], id="it listened all the time"
        ),
        pytest.param(
            [change(-60, "listening"), change(100, "blind", "refused"), change(130, "listening")],
            [],
            UNTIL,
            [stretch("listening", 0, 100), stretch("blind", 100, 130, "refused"), stretch("listening", 130, 600)],
            id="it was blind for half an hour",
        ),
        pytest.param(
            [change(100, "listening")],
            [],
            UNTIL,
            [stretch("unknown", 0, 100), stretch("listening", 100, 600)],
            id="nothing was known of it before",
        ),
        pytest.param(
            [change(-60, "listening")],
            [gap(200, 260)],
            UNTIL,
            [stretch("listening", 0, 600), stretch("unread", 200, 260)],
            id="it said that it listened, and was not read",
        ),
        pytest.param(
            [change(-60, "listening"), change(100, "blind"), change(130, "listening")],
            [gap(101, 129)],
            UNTIL,
            [stretch("listening", 0, 100), stretch("blind", 100, 130), stretch("listening", 130, 600)],
            id="what is blind is not read, and that is told once",
        ),
        pytest.param(
            [change(-60, "listening")],
            [gap(400, 600)],
            minutes(400),
            [stretch("listening", 0, 400), stretch("stale", 400, 600)],
            id="nobody renewed it: it does not listen any more",
        ),
        pytest.param(
            [change(-60, "listening")],
            [],
            minutes(-30),
            [stretch("stale", 0, 600)],
            id="nobody renewed it in all that time",
        ),
        pytest.param(
            [change(-60, "off")], [], minutes(-30), [stretch("off", 0, 600)], id="what has ended is renewed by nobody"
        ),
        pytest.param(
            [], [gap(10, 20)], UNTIL, [stretch("unknown", 0, 600), stretch("unread", 10, 20)], id="it told no state"
        ),
        pytest.param(
            [change(-60, "a state of a later version")], [], UNTIL, [stretch("unknown", 0, 600)], id="what is not known"
        ),
    ],
)
def test_a_source_was(changes: list[SourceChange], gaps: list[Gap], told_at: datetime, expected: list[Stretch]) -> None:
    assert history(changes, gaps, {"bluesky": told_at}, SINCE, UNTIL) == {"bluesky": expected}


def test_what_was_not_heard_is_told_the_newest_first() -> None:
    found = [stretch("listening", 0, 1), stretch("blind", 1, 2), stretch("unknown", 2, 3), stretch("unread", 4, 5)]
    assert unheard_of(found) == [stretch("unread", 4, 5), stretch("blind", 1, 2)]
