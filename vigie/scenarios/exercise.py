"""`vigie scenario play`: a scenario played into a running Vigie that is in exercise mode, as if it happened now.

Posts and notices go the way that the edge's go: through the gate, asked of the register, counted, onto the topics.
Units   speed: seconds of the scenario per second of ours
Errors  SettingsError, before anything is published, where somebody could take it for real
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors import runner
from connectors.contract import NEVER, Capabilities, Reading
from connectors.pseudonym import Pseudonyms
from connectors.register import Recognising, Register
from connectors.sources.plain import PlainPost, post_from
from connectors.watch import Watch
from records import Bulletin, Clock, Post, SettingsError, SourceStatus, SourceUnavailable, decode
from records.source_status import STALE, Way
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.reader import newest
from streams.settings import StreamSettings
from streams.topics import SOURCES
from vigie import edge_assembly
from vigie.receiver_settings import AppriseReceiver, CapReceiver, JsonlReceiver, TerminalReceiver
from vigie.rumour_settings import accounts_from
from vigie.scenarios.scenario import Scenario
from vigie.settings import Problem, Settings, UnusableSettings

NOTICES = "notices"
STATUS_SECS = 5.0
WAIT_SECS = 1.0  # at most, before somebody who stops the exercise is heard

Sleep = Callable[[float], Awaitable[None]]
Tells = Callable[[str], None]


@dataclass(frozen=True)
class Part:
    """The part of a scenario that is played, and how fast."""

    since: datetime
    until: datetime
    speed: float = 1.0


def part_of(scenario: Scenario, since: str, until: str, speed: float) -> Part:
    """Return a part of a scenario, by the clock in it; the whole where nothing is said.

    Errors  SettingsError for what is no time of the clock, or a part of which nothing is left
    """
    part = Part(
        since=scenario.at(since) if since else scenario.starts_at,
        until=scenario.at(until) if until else scenario.ends_at,
        speed=speed,
    )
    if part.since >= part.until:
        raise SettingsError(f"--from {since}: nothing is left until {part.until:%Y-%m-%d %H:%M}; begin earlier")
    return part


class Schedule:
    """Says when what is told in a scenario happens now."""

    def __init__(self, clock: Clock, part: Part, *, sleep: Sleep = asyncio.sleep) -> None:
        self._clock = clock
        self._part = part
        self._sleep = sleep
        self._began_at = clock.now()

    def due_at(self, moment: datetime) -> datetime:
        """Return when a moment of the scenario comes, by our clock."""
        return self._began_at + (moment - self._part.since) / self._part.speed

    async def wait_for(self, moment: datetime) -> datetime:
        """Wait until a moment of the scenario has come; return when that was due, by our clock."""
        due = self.due_at(moment)
        while (left := (due - self._clock.now()).total_seconds()) > 0:
            await self._sleep(min(left, WAIT_SECS))
        return due


class Played:
    """Reads what one platform says in a scenario, as if it were said now."""

    is_trusted = False
    capabilities = Capabilities(quiet=NEVER)

    def __init__(
        self, name: str, said: Sequence[Mapping[str, Any]], schedule: Schedule, pseudonyms: Pseudonyms
    ) -> None:
        self.name = name
        self._said = said
        self._schedule = schedule
        self._pseudonyms = pseudonyms

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield the posts, each when its time has come; after the last one, end."""
        for post in self._said:
            due = await self._schedule.wait_for(datetime.fromisoformat(post["ts"]))
            yield Reading("", self._post(post, due))

    def _post(self, post: Mapping[str, Any], at: datetime) -> Post:
        plain = msgspec.convert({**post, "ts": at}, PlainPost)
        return post_from(plain, source=self.name, received_at=at, pseudonyms=self._pseudonyms, is_trusted=False)


class Announced:
    """Reads what operators and authorities announce in a scenario, as if they did so now."""

    is_trusted = True
    capabilities = Capabilities(carries="bulletins", quiet=NEVER)
    name = NOTICES

    def __init__(self, notices: Sequence[Bulletin], schedule: Schedule) -> None:
        self._notices = notices
        self._schedule = schedule

    async def read(self, after: str | None) -> AsyncGenerator[Reading, None]:
        """Yield the notices, each when it is issued; its dates move with it."""
        for one in self._notices:
            due = await self._schedule.wait_for(one.issued_at)
            dates = {name: self._schedule.due_at(at) for name in ("starts_at", "ends_at") if (at := getattr(one, name))}
            yield Reading("", msgspec.structs.replace(one, issued_at=due, received_at=due, **dates))


class Forgetful:
    """Cursors of what is played once."""

    def load(self, source: str) -> str | None:
        """Return that nothing was read yet."""
        return None

    def save(self, source: str, cursor: str) -> None:
        """Keep nothing."""


def refuse_outside_of_exercises(settings: Settings) -> None:
    """Raise UnusableSettings where what is played could be taken for real, with everything that stands in the way."""
    problems = list(_without_a_mark(settings))
    if problems:
        raise UnusableSettings(problems)


def _without_a_mark(settings: Settings) -> Iterator[Problem]:
    if not settings.console.is_exercise:
        hint = "set it to true in the settings of an exercise, and start its Vigie anew"
        yield Problem("console.is_exercise", "is false: nobody would know that nothing of it is real", hint)
    for receiver in settings.receivers:
        where = f"receivers.{receiver.name}"
        if isinstance(receiver, CapReceiver) and receiver.status != "Exercise":
            yield Problem(f"{where}.status", f"found {receiver.status!r}", 'give "Exercise"')
        elif isinstance(receiver, AppriseReceiver) and not receiver.is_exercise:
            yield Problem(f"{where}.is_exercise", "is false", "set it to true: every message then begins with EXERCICE")
        elif not isinstance(receiver, CapReceiver | AppriseReceiver | JsonlReceiver | TerminalReceiver):
            found = f"{receiver.kind} cannot say that something is an exercise"
            yield Problem(where, found, "leave it out of the settings of an exercise")


async def refuse_where_one_listens(streams: StreamSettings, clock: Clock) -> None:
    """Raise SettingsError where real sources are listened to on this broker: their words and ours would mix."""
    statuses = [decode(value, SourceStatus) for value in (await newest(streams, SOURCES)).values()]
    live = [one.source for one in statuses if one.state == "listening" and clock.now() - one.at <= STALE]
    if live:
        raise SettingsError(
            f"sources: {', '.join(sorted(live))} listened to on this broker, so that invented and real words would "
            "mix; play on a Vigie of its own, or stop these sources and wait five minutes"
        )


def sources_of(
    scenario: Scenario, settings: Settings, part: Part, schedule: Schedule, pseudonyms: Pseudonyms
) -> list[Played | Announced]:
    """Return what reads the part of a scenario, a source for each platform.

    Posts of the town's own groups come under the name of a source that the settings place there, since the worker
    looks there where a post without a place belongs.
    """
    said: dict[str, list[Mapping[str, Any]]] = {}
    for post in scenario.all_posts:
        if part.since <= datetime.fromisoformat(post["ts"]) < part.until:
            said.setdefault(source_name(post["source"], scenario, settings), []).append(post)
    stated = [one for one in scenario.notices if part.since <= one.issued_at < part.until]
    posting = [Played(name, posts, schedule, pseudonyms) for name, posts in sorted(said.items())]
    return [*posting, *([Announced(stated, schedule)] if stated else [])]


def source_name(platform: str, scenario: Scenario, settings: Settings) -> str:
    """Return under which source's name the posts of a platform are played."""
    if platform not in scenario.local_sources:
        return platform
    placed = {source.name: source.place for source in settings.sources if source.place}
    if platform in placed:
        return platform
    return next((name for name, place in placed.items() if place == scenario.home), platform)


def doubts_about(scenario: Scenario, settings: Settings) -> Iterator[str]:
    """Yield what will be other than the scenario means it, in words."""
    if settings.territory.commune != scenario.home:
        yield (
            f'territory.commune: is "{settings.territory.commune}", the scenario is told for "{scenario.home}"; '
            "what is told there may go unseen here"
        )
    territory = settings.territory
    if scenario.local_places is not None and territory.local_places is None:
        yield f"territory.local_places: is not set, the scenario has {scenario.local_places}; its places go unseen here"
    if scenario.profile and scenario.profile != territory.profile:
        yield f'territory.profile: is "{territory.profile}", the scenario is told for "{scenario.profile}"'
    if scenario.duty and not settings.duty:
        yield "duty: nobody is to be called here; the scenario has numbers, copy its [[duty]]"
    placed = {source.name for source in settings.sources if source.place}
    for platform in sorted({post["source"] for post in scenario.all_posts} & scenario.local_sources):
        if source_name(platform, scenario, settings) not in placed:
            yield (
                f'sources: none has place = "{scenario.home}": posts of {platform} that name no place are nowhere; '
                f'add [[sources]] with kind = "recorded", an empty file as path, and this place'
            )


async def play(scenario: Scenario, settings: Settings, part: Part, clock: Clock, tell: Tells) -> int:
    """Play a part of a scenario into the broker of the settings; return how many posts there were.

    Errors  SettingsError before anything is published; SourceUnavailable when the broker is gone
    """
    refuse_outside_of_exercises(settings)
    streams = settings.streams()
    await declare_topics(streams)
    await refuse_where_one_listens(streams, clock)
    settings.data.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = edge_assembly.pseudonyms(settings, clock)
    accounts = accounts_from((*settings.official_accounts, *scenario.official_accounts))
    publisher = KafkaPublisher(streams)
    await publisher.start()
    watch = Watch(edge_assembly.EdgeMetrics(), clock)
    sources = sources_of(scenario, settings, part, Schedule(clock, part), names)
    for source in sources:
        watch.add(source.name, _way_of(source, scenario), source.capabilities)
    telling = asyncio.create_task(_tell_statuses(watch, publisher))
    try:
        async with asyncio.TaskGroup() as group:
            for source in sources:
                group.create_task(
                    _run(source, settings, Recognising(publisher, Register(accounts, names)), watch, clock)
                )
            tell(f"{scenario.name}: {part.since:%H:%M} is now, it is over in {_length(part)}")
    finally:
        telling.cancel()
        await asyncio.wait({telling})
        watch.stopped()
        with suppress(SourceUnavailable):
            await publisher.statuses(list(watch.statuses().values()))
        await publisher.stop()
    return sum(status.read for status in watch.statuses().values())


async def _run(
    source: Played | Announced, settings: Settings, publisher: Recognising, watch: Watch, clock: Clock
) -> None:
    gate = edge_assembly.gate(settings)
    await runner.run(source, gate=gate, publisher=publisher, cursors=Forgetful(), observer=watch, clock=clock)
    watch.ended(source.name, "read to its end")


async def _tell_statuses(watch: Watch, publisher: KafkaPublisher) -> None:
    """Say how what is played stands, as the edge does of its sources."""
    while True:
        news = watch.news()
        if news:
            with suppress(SourceUnavailable):
                await publisher.statuses(news)
        await asyncio.sleep(STATUS_SECS)


def _way_of(source: Played | Announced, scenario: Scenario) -> Way:
    if isinstance(source, Announced):
        return "authorities"
    return "page" if source.name in scenario.local_sources else "network"


def _length(part: Part) -> timedelta:
    return timedelta(seconds=round((part.until - part.since).total_seconds() / part.speed))
