"""Steps become Faust agents here, and only here."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import faust
from faust.types import EventT
from mode.supervisors import CrashingSupervisor
from msgspec.structs import replace

from detectors.detector import Shelf
from detectors.neighbours import Neighbours
from detectors.profile import Profile
from records import (
    Alert,
    BrokenInvariant,
    Bulletin,
    Clock,
    DeadLetter,
    Post,
    ProfileChange,
    Retraction,
    Signal,
    Statement,
    Tick,
    Verdict,
)
from records.profile_change import PROFILE_KEY
from records.signal import Hazard
from streams import metrics
from streams.batches import DeadLetters, InHand, by_partition, die
from streams.claims import changes
from streams.detect import Detect, Detected, OnShelf
from streams.enrich import Enrich, Enriched, ReadsAhead
from streams.health import Health
from streams.memory import Found, Memory, fit_together
from streams.pending import pending, still_pending
from streams.publisher import KafkaPublisher
from streams.reader_in_force import ReaderInForce
from streams.restore import partition_of
from streams.sensor import RareSensor
from streams.settings import StreamSettings
from streams.shares import Shares
from streams.showing import Showing
from streams.stated import statements
from streams.taking import let_go, taken
from streams.telling import Telling, TellingTasks
from streams.topics import ALERTS, CONTEXT, DECISIONS, NUDGE, POSTS, SIGNALS, SWEEP, OnDecisions, OnSignals, Topic

TICK_SECS = 5.0
HEALTH_SECS = 1.0
SHOW_SECS = 10.0
LACKING_SECS = 30.0  # a model that is not here is looked for so often
DETECT_BATCH = 512
KEPT_TOGETHER = 256  # signals, whose changes are kept as one where they fit into one record batch
OUTCOMES = {Signal: "taken", Tick: "tick", Statement: "statement", Retraction: "retraction", ProfileChange: "profile"}
READ_AT_ONCE = 2  # batches of posts: one is handed on while the other is read and placed
NOTIFY_BATCH = 100
STATED_BATCH = 50


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What the agents run."""

    enrich: Enrich
    detect: Detect
    telling: Telling | None = None  # None: nobody is told, only the topic
    in_force: ReaderInForce | None = None  # None: posts are read by one model, whatever people put in force


class Wiring:
    """The agents, the table and the timers of one worker."""

    def __init__(self, app: faust.App, settings: StreamSettings, steps: Steps, clock: Clock) -> None:
        self.app = app
        self.settings = settings
        self.steps = steps
        self.clock = clock
        self.publisher = KafkaPublisher(settings)
        self.letters = DeadLetters(self.publisher, clock)
        self.health = Health(stall_secs=settings.stall_secs)
        self.due: dict[str, datetime] = {}  # state key -> when time alone changes one of its incidents
        self.shares = Shares(steps.enrich)
        self.turn = asyncio.Lock()  # of the batch of posts that is handed on, in the order in which they came
        self.memory = Memory(app, settings, self.publisher)
        self.shelves: dict[int, Shelf] = {}  # of each partition that is ours
        self.together = KEPT_TOGETHER  # fewer where so many did not fit, and then slowly more again
        self.keys: set[str] = set()  # of the states that the table held when it was recovered
        self.neighbours = Neighbours(steps.detect.detector.profile)
        self.showing = Showing(steps.detect.detector)

    def connect(self) -> None:
        """Register everything with the app."""
        self.app.sensors.add(RareSensor())
        self._agent("enrich", POSTS, self._enrich, batch=self.settings.batch_posts, at_once=READ_AT_ONCE)
        self._agent("detect", SIGNALS, self._detect, batch=DETECT_BATCH)
        self._agent("context", CONTEXT, self._context, batch=STATED_BATCH)
        self._agent("decide", DECISIONS, self._decide, batch=STATED_BATCH)
        if self.steps.telling is not None:
            self._agent("notify", ALERTS, self._notify, batch=NOTIFY_BATCH)
            TellingTasks(self.app, self.settings, self.steps.telling, self.publisher, self.clock).connect()
        if self.steps.in_force is not None:
            self.app.task(self._follow_models)
            self.app.timer(LACKING_SECS, name="model")(self._look_for_model)
        self.app.timer(HEALTH_SECS, name="health")(self._look)
        self.app.timer(SHOW_SECS, name="show")(self._show)
        self.app.timer(SWEEP.total_seconds(), name="compact")(self.memory.compact)
        if self.settings.has_ticks:
            self.app.timer(TICK_SECS, name="ticks")(self._tick)
        self.app.on_partitions_revoked.connect(self._forget)
        self.app.on_before_shutdown.connect(self._disconnect)
        self.memory.table.on_recover(self._take_over)

    def _agent(self, name: str, topic: Topic, handle: Any, *, batch: int, at_once: int = 1) -> None:
        source = self.app.topic(
            topic.name,
            partitions=self.settings.partitions,
            internal=True,  # else the broker would make it with partitions of its own choice
            value_serializer="raw",
            key_serializer="raw",
            retention=topic.retention,
            compacting=topic.is_compacted or None,
        )

        async def work(events: Sequence[EventT[Any]]) -> None:
            with metrics.STEP_SECONDS.labels(name).time():
                await handle(events)
            metrics.STEP_RECORDS.labels(name).inc(sum(event.message.key != NUDGE for event in events))
            self.health.moved(topic.name, events)
            let_go(events)

        async def agent(stream: Any) -> None:
            in_hand = InHand(at_once)
            try:
                async for events in taken(self.app, stream, batch, self.settings.batch_wait_secs):
                    await in_hand.begin(work(events))
            finally:
                await in_hand.finish()

        self.app.agent(source, name=name, supervisor_strategy=CrashingSupervisor)(agent)

    async def _enrich(self, events: Sequence[EventT[Any]]) -> None:
        posts, dead = self.letters.sort(POSTS, events, Post)
        results = await self.shares.enriched([post for _, post in posts])
        async with self.turn:
            await self._hand_on(posts, results, dead)

    async def _hand_on(
        self,
        posts: Sequence[tuple[EventT[Any], Post]],
        results: Sequence[Enriched | Exception],
        dead: list[DeadLetter],
    ) -> None:
        """Tell the other steps what became of a batch of posts."""
        signals: list[Signal] = []
        retractions: list[Retraction] = []
        is_last = last_versions([post for _, post in posts])
        for number, ((event, _), result) in enumerate(zip(posts, results, strict=True)):
            if isinstance(result, Exception):
                dead.append(self.letters.letter(POSTS, event, "step_failed", repr(result)))
                continue
            metrics.POSTS.labels(result.outcome).inc()
            if is_last(number):
                signals.extend(result.signals)
            if result.retraction is not None:
                retractions.append(result.retraction)
        await self._retract(retractions)
        await asyncio.gather(
            self.publisher.signals(signals), self._claim([post for _, post in posts], results), self.letters.send(dead)
        )
        await self._retract(departed(signals, retractions))
        self.health.sent[SIGNALS.name] += len(signals)
        metrics.POSTS.labels("dead_letter").inc(len(dead))
        for signal in signals:
            metrics.SIGNALS_SENT.labels(signal.hazard).inc()

    async def _claim(self, posts: Sequence[Post], results: Sequence[Enriched | Exception]) -> None:
        """Tell what is needed and offered; of an edit that could not be read, what it said before goes as well."""
        claims = [() if isinstance(result, Exception) else result.claims for result in results]
        changed = changes(zip(posts, claims, strict=True))
        await self.publisher.claims(changed)
        for claim in (one for claimed in changed.values() if claimed for one in claimed.claims):
            metrics.CLAIMS_SENT.labels(claim.kind, "closed" if claim.is_closed else "open").inc()

    async def _retract(self, retractions: Sequence[Retraction]) -> None:
        if retractions:
            await self.publisher.retractions(retractions)
            self.health.sent[SIGNALS.name] += len(retractions) * self.settings.partitions

    async def _context(self, events: Sequence[EventT[Any]]) -> None:
        """Hand what authorities state to each hazard that it concerns, in order among the evidence."""
        bulletins, dead = self.letters.sort(CONTEXT, events, Bulletin)
        await self._state(
            statements([bulletin for _, bulletin in bulletins], self.steps.detect.detector.profile.hazards)
        )
        await self.letters.send(dead)
        count_statements(CONTEXT, bulletins, dead)

    async def _decide(self, events: Sequence[EventT[Any]]) -> None:
        """Hand what people decided to the state that their incident is part of, and a profile to all states.

        Silences are for who tells.
        """
        decisions, dead = self.letters.sort(DECISIONS, events, OnDecisions)
        now = self.clock.now()  # nobody's clock runs ahead of ours
        verdicts = [one for _, one in decisions if isinstance(one, Verdict)]
        heard = [replace(one, decided_at=min(one.decided_at, now)) for one in verdicts]
        await self._state(Statement(hazard=one.hazard, area=one.area, said=one) for one in heard)
        await self._promote([one for _, one in decisions if isinstance(one, ProfileChange)], now)
        await self.letters.send(dead)
        count_statements(DECISIONS, decisions, dead)

    async def _promote(self, changes: Sequence[ProfileChange], now: datetime) -> None:
        """Put changes of the profile among the evidence, wherever it is."""
        if changes:
            await self.publisher.profile_changes_for_all(
                [replace(one, decided_at=min(one.decided_at, now)) for one in changes]
            )
            self.health.sent[SIGNALS.name] += len(changes) * self.settings.partitions

    async def _state(self, statements: Iterable[Statement]) -> None:
        sent = list(statements)
        await self.publisher.signals(sent)
        self.health.sent[SIGNALS.name] += len(sent)

    async def _detect(self, events: Sequence[EventT[Any]]) -> None:
        for group in by_partition(events):
            for part in kept_together(group, self.together):
                await self._detect_partition(part)

    async def _detect_partition(self, events: Sequence[EventT[Any]]) -> None:
        self.memory.turn_to(events[-1])
        values, dead = self.letters.sort(SIGNALS, events, OnSignals)
        partition = events[-1].message.partition
        shelf = self.shelves.setdefault(partition, Shelf(self.memory, self.keys))
        result = self.steps.detect([value for _, value in values], shelf)
        about_to_be_told = pending(result.alerts, events[-1].message.offset)
        changes = {**result.changes, **about_to_be_told.total}
        if len(events) > 1 and not fit_together(changes):
            self._drop(partition)
            self.together = len(events) // 2
            for part in (events[: len(events) // 2], events[len(events) // 2 :]):
                await self._detect_partition(part)
            return
        if not self.memory.is_ours(partition):  # any more; whoever has it reads all this again
            self.shelves.pop(partition, None)
            return
        self.together = min(self.together + 1, KEPT_TOGETHER)
        for failed in result.failed:
            dead.append(self.letters.letter(SIGNALS, values[failed.number][0], "step_failed", failed.detail))
        await self.letters.send(dead)
        # A crash before this line leaves everything as it was. After it, what is told is what was written down here.
        await self.memory.keep(partition, changes, first={**result.rewritten, **about_to_be_told.revisions})
        await self.publisher.alerts(result.alerts)
        await self.memory.keep(partition, about_to_be_told.none)
        self.health.sent[ALERTS.name] += len(result.alerts)
        self._note_due(result)
        self._note_profile(result)
        self.showing.changed(result.alerts, shelf)
        self._count(result, [value for _, value in values], dead)

    def _drop(self, partition: int) -> None:
        """Forget what was worked out and not kept, as a crash would."""
        self.keys |= {key for key, _ in self.shelves.pop(partition).in_use()}

    def _note_due(self, result: Detected) -> None:
        for key, at in result.due.items():
            if at is None:
                self.due.pop(key, None)
            else:
                self.due[key] = at
        metrics.OPEN_INCIDENTS.set(len(self.due))

    def _note_profile(self, result: Detected) -> None:
        """Go on by a changed profile where no state is asked; all that waits for time may be due otherwise now."""
        if result.profile is None:
            return
        self._decide_by(result.profile)
        now = self.clock.now()
        self.due = {key: min(at, now) for key, at in self.due.items()}

    def _decide_by(self, profile: Profile) -> None:
        self.neighbours.profile = profile
        self.showing.decides_by(profile)
        self.health.profile = f"{profile.name}/{profile.version}"

    def _count(self, result: Detected, values: Sequence[OnShelf], dead: Sequence[DeadLetter]) -> None:
        failed = {item.number for item in result.failed}
        now = self.clock.now()
        for index, value in enumerate(values):
            if index in failed:
                continue
            metrics.SIGNALS.labels(OUTCOMES[type(value)]).inc()
            if isinstance(value, Signal):
                metrics.LATENCY.observe(seconds_between(value.received_at, now))
            elif isinstance(value, Retraction):
                metrics.RETRACTION.observe(seconds_between(value.at, now))
        metrics.SIGNALS.labels("dead_letter").inc(len(dead))
        for alert, number in zip(result.alerts, result.causes, strict=True):
            metrics.ALERTS.labels(alert.level).inc()
            cause = values[number]
            if isinstance(cause, Signal):
                secs = seconds_between(cause.received_at, now)
                metrics.POST_TO_ALERT.labels(alert.hazard, alert.level).observe(secs)

    async def _notify(self, events: Sequence[EventT[Any]]) -> None:
        telling = self.steps.telling
        if telling is None:
            raise BrokenInvariant("the notify agent runs without an outbox")
        alerts, dead = self.letters.sort(ALERTS, events, Alert)
        await telling.outbox.enqueue([self.neighbours.joined(alert) for _, alert in alerts])
        await self.letters.send(dead)
        metrics.NOTICES.labels("taken").inc(len(alerts))
        metrics.NOTICES.labels("dead_letter").inc(len(dead))

    async def _tick(self) -> None:
        now = self.clock.now()
        await self.publisher.signals([tick_from(key, now) for key, at in self.due.items() if at <= now])

    async def _take_over(self) -> None:
        """After a start or a takeover: find the states, and what waits for time; tell what was about to be told."""
        try:
            found = self.memory.found()
            self._find(found)
            await self._tell_pending(found.pending)
        except Exception as error:  # noqa: BLE001  which Faust would not even log
            die(error)

    def _find(self, found: Found) -> None:
        self.keys |= found.states
        self._decide_by(self.steps.detect.detector.profile_in_force(Shelf(self.memory)))
        self.showing.forget()
        self.showing.found(sorted(found.states), Shelf(self.memory))
        for key in sorted(found.waiting):
            at = self.steps.detect.detector.next_due(key, Shelf(self.memory))
            if at is not None:
                self.due[key] = at
        metrics.OPEN_INCIDENTS.set(len(self.due))

    async def _tell_pending(self, keys: Set[str]) -> None:
        """Tell what was about to be told when whoever had the table ended; repeats are equal in bytes."""
        await self.publisher.alerts(still_pending(keys, self.memory.get))
        by_partition: dict[int, dict[str, None]] = {}
        for key in keys:
            by_partition.setdefault(partition_of(key.encode(), self.settings.partitions), {})[key] = None
        for partition, gone in by_partition.items():
            if self.memory.is_ours(partition):
                await self.memory.keep(partition, gone)

    async def _forget(self, *_: Any, **__: Any) -> None:
        self.due.clear()
        self.shelves.clear()
        self.showing.forget()

    async def _follow_models(self) -> None:
        if self.steps.in_force is not None:
            await self.steps.in_force.follow(self.settings)

    async def _look_for_model(self) -> None:
        if self.steps.in_force is not None:
            await asyncio.to_thread(self.steps.in_force.look_again)

    async def _look(self) -> None:
        self._check_reader()
        self.health.look(self.app)
        self.health.model = self.steps.enrich.reader.version
        if self.steps.in_force is not None:
            self.health.lacking = self.steps.in_force.lacking
        metrics.IN_FORCE.info({"profile": self.health.profile, "model": self.health.model})

    def _check_reader(self) -> None:
        """End at once where nothing could be read any more, rather than at the first post of a crisis."""
        reader = self.steps.enrich.reader
        try:
            if isinstance(reader, ReadsAhead):
                reader.check()
        except BrokenInvariant as error:
            die(error)

    async def _show(self) -> None:
        self.showing.look(list(self.shelves.values()), self.clock.now())

    async def _disconnect(self, *_: Any, **__: Any) -> None:
        await self.publisher.stop()


def count_statements(topic: Topic, taken: Sequence[Any], dead: Sequence[DeadLetter]) -> None:
    """Count what authorities and people said."""
    metrics.STATEMENTS.labels(topic.name, "taken").inc(len(taken))
    metrics.STATEMENTS.labels(topic.name, "dead_letter").inc(len(dead))


def seconds_between(earlier: datetime, later: datetime) -> float:
    """Return how long something took, by clocks that may differ."""
    return max(0.0, (later - earlier).total_seconds())


def kept_together(events: Sequence[EventT[Any]], most: int) -> Iterator[Sequence[EventT[Any]]]:
    """Yield the events of a partition in parts whose changes are kept as one; a change of profile by itself.

    It is as large as many signals' changes are, and with them would not fit.
    """
    part: list[EventT[Any]] = []
    for event in events:
        is_profile = event.message.key == PROFILE_KEY.encode()
        if part and (is_profile or len(part) >= most):
            yield part
            part = []
        part.append(event)
        if is_profile:
            yield part
            part = []
    if part:
        yield part


def last_versions(posts: Sequence[Post]) -> Callable[[int], bool]:
    """Return what tells whether a post of a batch is the last that the batch says of it.

    Of one that was edited or deleted within the batch, nothing earlier is to be heard.
    """
    last = {post.key: number for number, post in enumerate(posts)}
    return lambda number: last[posts[number].key] == number


def departed(signals: Sequence[Signal], retractions: Sequence[Retraction]) -> list[Retraction]:
    """Return what is taken back of authors who said something in the batch in which they left."""
    authors = {signal.author_id for signal in signals} - {""}
    return [one for one in retractions if one.author_id in authors]


def tick_from(key: str, at: datetime) -> Tick:
    """Return the tick that lets time pass for one state key, `hazard/area`."""
    hazard, _, area = key.partition("/")
    return Tick(hazard=cast(Hazard, hazard), area=area, at=at)
