"""Telling a story: its posts among those of an ordinary day, through the whole pipeline, and what came of it.

Shape   a post with a happening is true evidence of it
Units   all times are event time
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from connectors.sinks.contract import post_id_of
from detectors.backtest import Replayed, replayed
from detectors.neighbours import Neighbours
from detectors.profile import Profile
from models.places import shipped_gazetteer
from records import Alert, Bulletin, Claim, Post, Tick, decode
from streams.reader import standing
from streams.topics import SIGNALS, OnSignals
from vigie.duty_settings import duties_from
from vigie.edge_assembly import gate
from vigie.pipeline import Pipeline
from vigie.replay import CHUNK, CLOSING
from vigie.scenarios.recording import PlainPosts, recorded
from vigie.scenarios.scenario import Scenario
from vigie.settings import Settings
from vigie.solidarity import claims_of
from vigie.story import PARIS
from vigie.territory import home_of, profile_of

SHOWN = 5
INSTANT = timedelta(microseconds=1)
NOTIFIED = frozenset({"watch", "alert", "confirmed"})
ALERTED = frozenset({"alert", "confirmed"})
LEVELS_BEYOND = {"nothing": NOTIFIED, "watch": ALERTED, "alert": frozenset[str]()}


@dataclass(frozen=True, repr=False)
class Raised:
    """One incident as it was raised, with the happenings that it rests on."""

    revisions: tuple[Alert, ...]
    happening_of: dict[str, str]

    def __repr__(self) -> str:
        return self.revisions[0].incident_id

    @property
    def notified(self) -> tuple[Alert, ...]:
        """The revisions that somebody is told of."""
        return tuple(alert for alert in self.revisions if alert.level in NOTIFIED)

    @cached_property
    def happenings(self) -> frozenset[str]:
        """Everything true that any of its revisions rests on."""
        return frozenset(chain.from_iterable(map(self.grounds_of, self.revisions)))

    def grounds_of(self, alert: Alert) -> set[str]:
        """Return the happenings that a revision rests on."""
        ids = (post_id_of(item.post_key) for item in alert.evidence)
        return {self.happening_of[post_id] for post_id in ids if post_id in self.happening_of}

    def about(self, alert: Alert) -> set[str]:
        """Return the happenings that make up a quarter of a revision's weight or more, not just a stray post."""
        weight = sum(item.contribution for item in alert.evidence)
        shares: dict[str, float] = {}
        for item in alert.evidence:
            happening = self.happening_of.get(post_id_of(item.post_key), "")
            shares[happening] = shares.get(happening, 0.0) + item.contribution
        return {happening for happening, share in shares.items() if happening and share >= weight / 4}

    def first(self, happening: str, levels: frozenset[str]) -> datetime | None:
        """Return when it first spoke of a happening at one of these levels."""
        spoken = [a for a in self.revisions if a.level in levels and happening in self.grounds_of(a)]
        return min(map(known_at, spoken), default=None)

    def describe(self) -> str:
        """Return its history in lines: levels, times, places, and the posts that began it."""
        first = self.revisions[0]
        lines = [f"{self} {sorted(self.happenings) or 'FALSE'}"]
        last: tuple[str, str] | None = None
        for alert in self.revisions:
            if (alert.level, alert.place.name) != last:
                at = known_at(alert).astimezone(PARIS)
                counts = f"posts {alert.posts}, authors {alert.authors}, witnesses {alert.witnesses}"
                lines.append(f"  {at:%d %H:%M:%S} {alert.level:<10} {alert.place.name} ({counts}, {alert.score:+.1f})")
            last = (alert.level, alert.place.name)
        alerted = [alert for alert in self.revisions if alert.level in ALERTED][:1]
        for alert in (first, *alerted):
            lines.append(f"  what began the {alert.level}:")
            lines += [f"    {item.likelihood_ratio:6.1f}  {item.text}" for item in alert.evidence[:SHOWN]]
        return "\n".join(lines)


@dataclass(frozen=True)
class Told:
    """What came of a story."""

    tale: Scenario
    posts: int  # all of them
    passed: int  # through the gate
    happening_of: dict[str, str] = field(repr=False)  # a true post's id -> what it speaks of
    first_posts: dict[str, datetime]  # when each happening was first spoken of
    incidents: tuple[Raised, ...]
    claims: tuple[Claim, ...] = ()

    def notified(self, happening: str) -> list[Raised]:
        """Return the incidents that somebody was told of and that are about a happening."""
        return [i for i in self.incidents if any(happening in i.about(alert) for alert in i.notified)]

    def watch_at(self, happening: str) -> datetime | None:
        """Return when somebody was first told of a happening."""
        return min(filter(None, (i.first(happening, NOTIFIED) for i in self.incidents)), default=None)

    def alert_at(self, happening: str) -> datetime | None:
        """Return when it was first called an alert."""
        return min(filter(None, (i.first(happening, ALERTED) for i in self.incidents)), default=None)

    def watch_delay(self, happening: str) -> timedelta | None:
        """Return how long after the first witness's post that was."""
        at = self.watch_at(happening)
        return at - self.first_posts[happening] if at else None

    def summary(self) -> str:
        """Return in one line what came of it, and when."""
        told = []
        for happening in self.first_posts:
            delay, alert_at = self.watch_delay(happening), self.alert_at(happening)
            alert = f"{alert_at.astimezone(PARIS):%d %H:%M:%S}" if alert_at else "never"
            told.append(f"{happening}: watch after {delay}, alert {alert}, {len(self.notified(happening))} incidents")
        false = f"{len(self.false_watches)} false watches, {len(self.false_alerts)} false alerts"
        return "; ".join([f"{self.posts} posts", *told, false])

    @property
    def false_watches(self) -> list[Raised]:
        """The incidents that somebody was told of for no reason, even where true posts came to them later."""
        return [i for i in self.incidents if i.notified and not i.grounds_of(i.notified[0])]

    @property
    def false_alerts(self) -> list[Raised]:
        """The incidents once called an alert that were about nothing true."""
        return [i for i in self.alerts if not any(i.about(alert) for alert in i.revisions if alert.level in ALERTED)]

    @property
    def alerts(self) -> list[Raised]:
        """The incidents called an alert, true or false."""
        return [i for i in self.incidents if any(alert.level in ALERTED for alert in i.revisions)]

    @property
    def beyond(self) -> list[Raised]:
        """The incidents at a level higher than the scenario expects at most of what they are about."""
        least = {one.id: LEVELS_BEYOND[one.expected] for one in self.tale.happenings}
        return [
            i
            for i in self.incidents
            for alert in i.revisions
            if (about := i.about(alert)) and all(alert.level in least[happening] for happening in about)
        ]


def describe(incidents: Sequence[Raised]) -> str:
    """Return the histories of incidents, for a message."""
    return "\n" + "\n".join(incident.describe() for incident in incidents) if incidents else "none"


def known_at(alert: Alert) -> datetime:
    """Return when a revision was made: an update keeps the time at which its level was reached."""
    return max(alert.raised_at, *(item.event_time for item in alert.evidence))


def tell(tale: Scenario) -> Told:
    """Play a story through a pipeline of its own."""
    happening_of = tale.happening_of
    first_posts: dict[str, datetime] = {}
    for post in tale.all_posts:
        if post["id"] in happening_of:
            first_posts.setdefault(happening_of[post["id"]], datetime.fromisoformat(post["ts"]))
    played = asyncio.run(_played(tale))
    by_id: dict[str, list[Alert]] = {}
    for alert in played.alerts:
        by_id.setdefault(alert.incident_id, []).append(alert)
    incidents = tuple(Raised(tuple(revisions), happening_of) for revisions in by_id.values())
    assert [one.alert for one in played.again.told] == list(played.alerts), "a backtest tells otherwise"
    assert not played.again.failed
    return Told(tale, len(tale.all_posts), played.passed, happening_of, first_posts, incidents, played.claims)


class Played(NamedTuple):
    """What came of a story, and what a backtest makes of the signals that it gave."""

    passed: int
    alerts: tuple[Alert, ...]
    claims: tuple[Claim, ...]
    again: Replayed


async def _played(tale: Scenario) -> Played:
    async with playing(tale, tale.all_posts) as play:
        alerts = await play.until(play.posts[-1].event_time + INSTANT)
        until = play.last_at + CLOSING
        await play.pass_time(alerts, until)
        told = await play.pipeline.alerts()
        neighbours = Neighbours(play.profile)
        return Played(
            passed=len(play.posts),
            alerts=tuple(neighbours.joined(alert) for alert in told),
            claims=tuple(await claims_of(play.pipeline.streams)),
            again=replayed(
                play.profile,
                [value for value in await _signals(play.pipeline) if not isinstance(value, Tick)],
                until=until,
                places=shipped_gazetteer().wide_places(),
                duties=duties_from(play.settings.duty),
            ),
        )


async def _signals(pipeline: Pipeline) -> list[Any]:
    """Return what came to the detectors, in order."""
    async with aclosing(standing(pipeline.streams, SIGNALS)) as messages:
        return [decode(message.value, OnSignals) async for message in messages]


@dataclass
class Playing:
    """A story under way: told up to a moment, and then up to the next one."""

    pipeline: Pipeline
    settings: Settings
    posts: list[Post]  # those that passed the gate, in order
    notices: list[Bulletin]
    last_at: datetime  # when the last post was said, whether it passed or not
    begun: int = 0  # how many posts were told

    @cached_property
    def profile(self) -> Profile:
        """What the worker watches by."""
        return profile_of(self.settings, home_of(self.settings, shipped_gazetteer()))

    async def until(self, at: datetime) -> list[Alert]:
        """Tell what was said and announced before a moment; return all revisions that there are by then."""
        part = [post for post in self.posts[self.begun :] if post.event_time < at]
        stated = [one for one in self.notices if one.issued_at < at]
        self.begun += len(part)
        self.notices = [one for one in self.notices if one not in stated]
        for said, notice in _in_turn(part, stated):
            for start in range(0, len(said), CHUNK):
                await self.pipeline.posts(said[start : start + CHUNK])
            if notice is not None:
                await self.pipeline.drained()
                await self.pipeline.bulletins([notice])
                await self.pipeline.drained()
        return await self.pipeline.alerts()

    async def pass_time(self, alerts: Sequence[Alert], at: datetime) -> None:
        """Let time pass up to a moment for all incidents that there are."""
        keys = sorted({f"{alert.state_hazard}/{alert.area or alert.place.area}" for alert in alerts})
        await self.pipeline.pass_time(keys, at)


@asynccontextmanager
async def playing(tale: Scenario, posts: PlainPosts) -> AsyncIterator[Playing]:
    """Begin a story, in a pipeline of its own."""
    with tempfile.TemporaryDirectory(prefix="vigie-story-") as folder:
        settings, read = await recorded(tale, posts, Path(folder))
        passes = gate(settings)
        async with Pipeline(settings) as pipeline:
            kept = [post for post in read if passes(post.text)]
            yield Playing(pipeline, settings, kept, list(tale.notices), read[-1].event_time)


def _in_turn(posts: list[Post], notices: list[Bulletin]) -> Iterator[tuple[list[Post], Bulletin | None]]:
    """Yield the posts before each notice, with it; then those after the last."""
    start = 0
    for notice in notices:
        end = start + sum(post.event_time < notice.issued_at for post in posts[start:])
        yield posts[start:end], notice
        start = end
    yield posts[start:], None
