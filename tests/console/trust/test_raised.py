"""What was raised, and what people made of it: what counts, and under which names."""

from itertools import chain

import pytest
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncEngine

from console.archive.taking import take
from console.trust.precision import GROUPINGS, by_group, precision, why_false
from console.trust.raised import Raised, raised
from tests.console.made import a_verdict, an_alert, minutes
from tests.console.trust.told import SINCE, UNTIL, of_platform, told

ZONE = "Europe/Paris"


async def found_in(engine: AsyncEngine) -> dict[str, Raised]:
    return {one.incident_id: one for one in await raised(engine, SINCE, UNTIL)}


async def test_an_incident_is_told_of_when_it_first_reaches_a_watch(engine: AsyncEngine) -> None:
    faint = an_alert(incident_id="faint", level="signal")
    grown = [
        an_alert(incident_id="grown", revision=1, level="signal", raised_at=minutes(0), probability=0.1),
        an_alert(incident_id="grown", revision=2, level="watch", raised_at=minutes(5), probability=0.6),
        an_alert(incident_id="grown", revision=3, level="alert", raised_at=minutes(9), probability=0.9),
        an_alert(incident_id="grown", revision=4, level="resolved", raised_at=minutes(90), onset=minutes(-30)),
    ]
    by_hand = an_alert(incident_id="by-hand", level="confirmed")
    await take(engine, [faint, *grown, by_hand, *told("sudden", level="alert")], minutes(100))
    found = await found_in(engine)
    assert sorted(found) == ["grown", "sudden"]
    one = found["grown"]
    assert (one.watch_at, one.alert_at, one.ended_at) == (minutes(5), minutes(9), minutes(90))
    assert (one.probability, one.onset) == (0.6, minutes(-30))
    assert (found["sudden"].watch_at, found["sudden"].alert_at) == (minutes(0), minutes(0))


async def test_the_span_is_that_of_the_first_watch(engine: AsyncEngine) -> None:
    again = an_alert(incident_id="before", revision=2, level="watch", raised_at=minutes(20))
    await take(engine, [*told("before", at=0), again, *told("within", at=10), *told("after", at=30)], minutes(40))
    assert [one.incident_id for one in await raised(engine, minutes(10), minutes(30))] == ["within"]


async def test_the_last_ruling_that_stands_counts(engine: AsyncEngine) -> None:
    said = [
        a_verdict("withdraw", incident_id="back", decision_id="w", withdraws="back-reject", decided_at=minutes(90)),
        replace(a_verdict("confirm", incident_id="changed", decision_id="c"), decided_at=minutes(90)),
        a_verdict("acknowledge", incident_id="seen", decision_id="s"),
    ]
    rows = chain(told("back", "reject"), told("changed", "reject"), told("true", "confirm"), told("seen"))
    await take(engine, [*rows, *said], minutes(100))
    rulings = {name: one.ruling for name, one in (await found_in(engine)).items()}
    assert rulings == {"back": "", "changed": "true", "true": "true", "seen": ""}


async def test_precision_counts_what_was_judged_by_each_name(engine: AsyncEngine) -> None:
    rows = chain(
        told("a", "confirm", alert_at=5, versions={"hazard": "h/1", "detector": "d/1"}, **of_platform("x", "y")),
        told("b", "reject", reason="canular", profile="city/2", **of_platform("x")),
        told("c", "reject", alert_at=5, hazard="flood", at=7 * 24 * 60, evidence=()),
        told("d"),
    )
    await take(engine, list(rows), minutes(20_000))
    found = await raised(engine, SINCE, minutes(20_000))
    whole = precision(found)
    assert (whole.watches.hits, whole.watches.cases, whole.unjudged) == (1, 3, 1)
    assert (whole.alerts.hits, whole.alerts.cases) == (1, 2)
    shares = {
        by: {one.name: (one.watches.hits, one.watches.cases, one.unjudged) for one in by_group(found, by, ZONE)}
        for by in GROUPINGS
    }
    assert shares["hazard"] == {"fire": (1, 2, 1), "flood": (0, 1, 0)}
    assert shares["platform"] == {"x": (1, 2, 0), "y": (1, 1, 0), "facebook": (0, 0, 1), "?": (0, 1, 0)}
    assert shares["profile"] == {"city/1": (1, 2, 1), "city/2": (0, 1, 0)}
    assert shares["detector"] == {"d/1": (1, 1, 0), "?": (0, 2, 1)}
    assert shares["model"] == {"h/1": (1, 1, 0), "?": (0, 2, 1)}
    assert list(shares["week"]) == ["2012-W06", "2012-W05"]
    assert whole.expected == pytest.approx(2.4)
    assert (whole.to_watch.cases, whole.to_watch.median) == (1, 10.0)
    assert why_false(found) == [("hoax", 1), ("other", 1)]
