"""Week: seven made-up days in a town through the whole pipeline, broker included, in event time, and then once more.

Run     `python tests/benchmarks/speed/week.py [--days 7] [--once]`
Shape   ordinary posts by the hour, fewer at the weekend (`vigie/scenarios/everyday.py`), and on five days what people
        wrote in a scenario of the library that plays in the same town, at the same hours of the clock. Every six hours
        time passes for all that the detectors know of, as a worker's ticks let it pass
Units   event time; keys of the detectors' table, entries being the posts that it remembers
Errors  exit status 1 when an outcome is missing, more was raised falsely than budgeted, the table goes on growing, or
        the second time gives other bytes
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from detectors.backtest import Told
from detectors.judging import outcome_of
from detectors.profile import WeeklyBudget
from models.places import shipped_gazetteer
from records import Alert, Tick, decode, encode
from records.backtest import Outcome
from streams.reader import standing
from streams.topics import POSTS, SIGNALS, OnSignals
from vigie.edge_assembly import gate
from vigie.pipeline import Pipeline
from vigie.replay import CHUNK, CLOSING
from vigie.scenarios.everyday import Everyday
from vigie.scenarios.file import HappeningTable
from vigie.scenarios.recording import recorded
from vigie.scenarios.scenario import Scenario, scenario_from
from vigie.territory import home_of, profile_of

if TYPE_CHECKING:
    from tests.benchmarks.speed import watched
else:
    import watched

DAYS = 7
ZONE = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 3, 2, tzinfo=ZONE)
HAPPENS = {"valve_2026": 0, "le_havre_2012": 2, "rumour": 3, "sirens_2012": 4, "two_shifts": 5}  # on which day
POSTS_A_DAY, POSTS_AT_THE_WEEKEND = 3200, 2400
WEEKEND = (5, 6)
TURN = timedelta(hours=6)
GROWN = 1.5
"""So many times as many entries as on the second evening may be remembered at the end: a day may be louder."""


class Turn(NamedTuple):
    """What there was after six hours."""

    at: datetime
    posts: int  # through the gate, in these hours
    keys: Counter[str]  # of the detectors' table, by kind
    worker_mb: float


@dataclass(frozen=True)
class Week:
    """What came of it."""

    posts: int
    passed: int
    turns: tuple[Turn, ...]
    handled: Mapping[str, int]  # values handled, by topic
    read: Counter[str]  # outcomes of posts
    decided: Counter[str]  # outcomes of what is on signals.v1
    alerts: tuple[Alert, ...]
    judged: Outcome
    budget: WeeklyBudget
    days: int
    secs: float  # of ours

    @property
    def said(self) -> bytes:
        """Return all revisions as they were put on their topic."""
        return b"\n".join(map(encode, self.alerts))


def made(days: int) -> Scenario:
    """Return so many days of the week."""
    base = scenario_from("le_havre_2012")
    end = MONDAY + timedelta(days=days)
    told = [told_again(scenario_from(name), day) for name, day in HAPPENS.items() if day < days]
    own = [post for posts, _ in told for post in posts if datetime.fromisoformat(post["ts"]) < end]
    spoken_of = {post["happening"] for post in own}
    return replace(
        base,
        name="week",
        starts_at=MONDAY,
        hours=24.0 * days,
        plans=tuple(ordinary(base.plans[0], day) for day in range(days)),
        own=tuple(own),
        happenings=tuple(one for _, happenings in told for one in happenings if one.id in spoken_of),
        notices=(),
    )


def ordinary(plan: Everyday, day: int) -> Everyday:
    """Return the ordinary posts of a day."""
    return replace(
        plan,
        starts_at=MONDAY + timedelta(days=day),
        hours=24.0,
        posts_a_day=POSTS_AT_THE_WEEKEND if day in WEEKEND else POSTS_A_DAY,
        seed=plan.seed + day,
        letter=f"day{day}-",
        breaks=(),
    )


def told_again(scenario: Scenario, day: int) -> tuple[list[dict[str, Any]], list[HappeningTable]]:
    """Return what a scenario's people wrote of what happened, and what that was, as of a day of the week."""
    midnight = datetime.combine(scenario.starts_at.astimezone(ZONE).date(), time.min)
    shift = MONDAY.replace(tzinfo=None) + timedelta(days=day) - midnight

    def moved(at: datetime) -> datetime:
        return (at.astimezone(ZONE).replace(tzinfo=None) + shift).replace(tzinfo=ZONE)

    posts: list[dict[str, Any]] = []
    for post in scenario.own:
        if "happening" in post:
            at = moved(datetime.fromisoformat(post["ts"])).isoformat()
            named = {"id": f"{scenario.name}-{post['id']}", "happening": f"{scenario.name}-{post['happening']}"}
            answered = {
                name: f"{scenario.name}-{post[name]}" for name in ("repost_of", "quote_of", "reply_to") if name in post
            }
            posts.append({**post, **named, **answered, "ts": at})
    happenings = [
        one.model_copy(
            update={
                "id": f"{scenario.name}-{one.id}",
                "began_at": moved(one.began_at),
                "ended_at": moved(one.ended_at) if one.ended_at else None,
                "official_at": moved(one.official_at) if one.official_at else None,
            }
        )
        for one in scenario.happenings
    ]
    return posts, happenings


def turns(days: int) -> Iterator[datetime]:
    """Yield the ends of the hours between which time passes."""
    for number in range(1, days * (timedelta(days=1) // TURN) + 1):
        yield MONDAY + number * TURN


async def played(days: int, folder: Path) -> Week:
    """Play it, in a pipeline of its own."""
    began = monotonic()
    tale = made(days)
    settings, posts = await recorded(tale, tale.all_posts, folder)
    passes = gate(settings)
    left = [post for post in posts if passes(post.text)]
    passed = len(left)
    profile = profile_of(settings, home_of(settings, shipped_gazetteer()))
    seen: list[Turn] = []
    async with Pipeline(settings) as pipeline:
        for until in turns(days):
            now = [post for post in left if post.event_time < until]
            left = left[len(now) :]
            for start in range(0, len(now), CHUNK):
                await pipeline.posts(now[start : start + CHUNK])
            await let_pass(pipeline, until)
            seen.append(Turn(until, len(now), keys_in(pipeline), worker_mb(pipeline)))
        await let_pass(pipeline, turns_end(days) + CLOSING)
        health = await pipeline.drained()
        alerts = await pipeline.alerts()
        page = pipeline.worker.metrics()
        values = [value for value in await on_signals(pipeline) if not isinstance(value, Tick)]
    return Week(
        posts=len(posts),
        passed=passed,
        turns=tuple(seen),
        handled=health["handled"],
        read=watched.samples(page, "vigie_posts_total", "outcome"),
        decided=watched.samples(page, "vigie_signals_total", "outcome"),
        alerts=tuple(alerts),
        judged=outcome_of(
            [Told(alert.raised_at, alert) for alert in alerts],
            values,
            tale.truth(shipped_gazetteer()),
            profile=profile.name,
            version=profile.version,
            days=days,
        ),
        budget=profile.budget,
        days=days,
        secs=monotonic() - began,
    )


def turns_end(days: int) -> datetime:
    """Return when the last hour is over."""
    return MONDAY + timedelta(days=days)


async def let_pass(pipeline: Pipeline, until: datetime) -> None:
    """Let time pass for every state that there is, once all that was said is decided."""
    await pipeline.drained()
    keys = {value.key for value in await on_signals(pipeline)}
    await pipeline.pass_time(sorted(keys), until)
    await pipeline.drained()


async def on_signals(pipeline: Pipeline) -> list[Any]:
    """Return what came to the detectors, in order."""
    async with aclosing(standing(pipeline.streams, SIGNALS)) as messages:
        return [decode(message.value, OnSignals) async for message in messages]


def keys_in(pipeline: Pipeline) -> Counter[str]:
    """Return how many keys of each kind the detectors' table has."""
    return watched.kinds_of(watched.keys_below(pipeline.streams.data_dir))


def worker_mb(pipeline: Pipeline) -> float:
    """Return the memory of the worker and of what it has started."""
    process = pipeline.worker.process
    return watched.memory_mb(process.pid) if process else 0.0


class Verdict(NamedTuple):
    """One thing that must hold."""

    what: str
    found: str
    target: str
    is_met: bool


def verdicts(week: Week) -> list[Verdict]:
    """Return what must hold, and whether it does."""
    posts, signals = week.handled[POSTS.name], week.handled[SIGNALS.name]
    judged, share = week.judged, week.days / DAYS
    watches, alerts = week.budget.watch * share, max(1.0, week.budget.alert * share)
    missed = [one for one in judged.found if one.watch_at is None]
    second, last = week.turns[min(7, len(week.turns) - 1)].keys["entry"], week.turns[-1].keys["entry"]
    return [
        Verdict(
            "posts through the gate, handled, in one outcome each",
            f"{week.passed}, {posts}, {week.read.total()}",
            "alike",
            week.passed == posts == week.read.total(),
        ),
        Verdict(
            "values for the detectors, in one outcome each",
            f"{signals}, {week.decided.total()}",
            "alike",
            signals == week.decided.total(),
        ),
        Verdict(
            "dead letters",
            f"{week.read['dead_letter'] + week.decided['dead_letter']}",
            "0",
            not week.read["dead_letter"] + week.decided["dead_letter"],
        ),
        Verdict("false watches", f"{judged.false_watches}", f"at most {watches:g}", judged.false_watches <= watches),
        Verdict("false alerts", f"{judged.false_alerts}", f"at most {alerts:g}", judged.false_alerts <= alerts),
        Verdict("true incidents without a watch", f"{len(missed)} of {len(judged.found)}", "0", not missed),
        Verdict(
            "posts remembered at the end, and on the second evening",
            f"{last}, {second}",
            f"at most {GROWN:g} times as many",
            last <= GROWN * second,
        ),
    ]


def tables(week: Week) -> str:
    """Return what came of it, as markdown."""
    lines = [
        f"{week.days} days, {week.posts} posts, {week.passed} through the gate, {len(week.alerts)} revisions; "
        f"{week.days * 86_400 / week.secs:.0f} times as fast as life.",
        "",
        "| day | through the gate | keys of state | posts remembered | worker, MB |",
        "| --- " * 5 + "|",
    ]
    for day in range(week.days):
        part = week.turns[4 * day : 4 * day + 4]
        last = part[-1]
        lines.append(
            f"| {MONDAY + timedelta(days=day):%A} | {sum(turn.posts for turn in part)} | {last.keys.total()} "
            f"| {last.keys['entry']} | {last.worker_mb:.0f} |"
        )
    lines += ["", "| what | found | target | met |", "| --- " * 4 + "|"]
    lines += [
        f"| {one.what} | {one.found} | {one.target} | {'yes' if one.is_met else '**no**'} |" for one in verdicts(week)
    ]
    return "\n".join(lines)


def play(days: int) -> Week:
    """Play it once."""
    with tempfile.TemporaryDirectory(prefix="vigie-week-") as folder:
        return asyncio.run(played(days, Path(folder)))


def main() -> int:
    """Play as told; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--days", type=int, default=DAYS, choices=range(1, DAYS + 1))
    parser.add_argument("--once", action="store_true", help="do not play it again to compare")
    given = parser.parse_args()
    week = play(given.days)
    sys.stdout.write(f"{tables(week)}\n")
    is_good = all(one.is_met for one in verdicts(week))
    if not given.once:
        is_same = play(given.days).said == week.said
        sys.stdout.write(f"\nThe second time: {'the same' if is_same else 'NOT the same'}, byte for byte.\n")
        is_good = is_good and is_same
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
