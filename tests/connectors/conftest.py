"""What the tests of connectors share: a clock that stands, a broker in memory, and the servers of `servers/`."""

import asyncio
import importlib.util
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from connectors.contract import NotSaved
from connectors.pseudonym import FixedPseudonyms
from records import (
    Alert,
    Bulletin,
    DeadLetter,
    Evidence,
    ManualClock,
    Place,
    Post,
    Pulse,
    SourceUnavailable,
    VigieError,
    encode,
)

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


class Broker:
    """A publisher that keeps all it is given, and fails when told to."""

    def __init__(self) -> None:
        self.kept: list[Post] = []
        self.stated: list[Bulletin] = []
        self.letters: list[DeadLetter] = []
        self.counted: list[Pulse] = []
        self.batches: list[int] = []
        self.fails_with: Exception | None = None

    async def posts(self, posts: Sequence[Post]) -> None:
        if self.fails_with:
            raise self.fails_with
        self.batches.append(len(posts))
        self.kept.extend(posts)

    async def bulletins(self, bulletins: Sequence[Bulletin]) -> None:
        if self.fails_with:
            raise self.fails_with
        self.stated.extend(bulletins)

    async def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        if self.fails_with:
            raise self.fails_with
        self.letters.extend(letters)

    async def pulses(self, pulses: Sequence[Pulse]) -> None:
        self.counted.extend(pulses)

    def all_bytes(self) -> bytes:
        """Return everything that left the room, as it stands on the topics."""
        records: list[msgspec.Struct] = [*self.kept, *self.stated, *self.letters, *self.counted]
        letters = b"".join(letter.value for letter in self.letters)  # base64 on the wire
        return b"\n".join(encode(record) for record in records) + letters

    def pulse_sums(self) -> Counter[str]:
        sums: Counter[str] = Counter()
        for pulse in self.counted:
            sums.update(pulse.outcomes)
        return sums


class Witness:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.failures: list[tuple[str, float]] = []
        self.gaps: list[float] = []
        self.unsaved_cursors: list[str] = []
        self.lags: list[float] = []
        self.sinks: Counter[tuple[str, str]] = Counter()
        self.waits: list[float] = []
        self.stood: dict[str, tuple[dict[str, int], int, float]] = {}
        self.has_stood = asyncio.Event()  # of the last receiver

    def counted(self, source: str, outcome: str, values: int, *, reason: str = "") -> None:
        self.outcomes[outcome] += values
        if reason:
            self.reasons[reason] += values

    def lagged(self, source: str, seconds: float) -> None:
        self.lags.append(seconds)

    def unavailable(self, source: str, error: SourceUnavailable, *, retry_secs: float) -> None:
        self.failures.append((str(error), retry_secs))

    def gap(self, source: str, seconds: float) -> None:
        self.gaps.append(seconds)

    def unsaved(self, source: str, error: NotSaved) -> None:
        self.unsaved_cursors.append(str(error))

    def sent(self, receiver: str, *, after_secs: Sequence[float]) -> None:
        self.sinks[receiver, "sent"] += 1
        self.waits += after_secs

    def stands(self, receiver: str, rows: Mapping[str, int], *, waiting: int, oldest_secs: float) -> None:
        self.stood[receiver] = (dict(rows), waiting, oldest_secs)
        asyncio.get_running_loop().call_soon(self.has_stood.set)

    def put_off(self, receiver: str, error: VigieError, *, retry_secs: float) -> None:
        self.sinks[receiver, "put_off"] += 1

    def failed(self, receiver: str, error: VigieError) -> None:
        self.sinks[receiver, "failed"] += 1

    def held(self, receiver: str, cause: str) -> None:
        self.sinks[receiver, cause] += 1

    def escalated(self, route: str, incident_id: str) -> None:
        self.sinks[route, "escalated"] += 1

    def untold(self, incident_id: str, level: str) -> None:
        self.sinks[incident_id, "untold"] += 1


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def pseudonyms() -> FixedPseudonyms:
    return FixedPseudonyms(b"test")


Until = Callable[[Callable[[], bool]], Awaitable[None]]


@pytest.fixture
def until() -> Until:
    """Return a wait for something that others bring about: half a minute at most."""

    async def until(is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not is_so():  # noqa: ASYNC110  what is waited for does not know of us
                await asyncio.sleep(0.002)

    return until


@pytest.fixture
def corpus() -> Path:
    return CORPUS


@pytest.fixture(scope="session")
def payloads() -> list[dict[str, Any]]:
    """Return Jetstream payloads by hand, in the order of their seq."""
    lines = (CORPUS / "bluesky.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@cache
def loaded(path: str) -> ModuleType:
    """Return a module beside the tests, by its path from here: they are no package."""
    name = path.removesuffix(".py").replace("/", "_")
    spec = importlib.util.spec_from_file_location(f"connectors_{name}", HERE / path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def load() -> Callable[[str], ModuleType]:
    """Return what loads a server or a conformance entry."""
    return loaded


@pytest.fixture(scope="session")
def servers() -> ModuleType:
    """Return the module of the local Jetstream server."""
    return loaded("servers/jetstream.py")


@pytest.fixture
def alert() -> Alert:
    """Return an alert about the power plant of Le Havre."""
    place = Place(
        place_id="fr:76351",
        name="Le Havre",
        lat=49.49,
        lon=0.11,
        radius_km=5.0,
        level="commune",
        confidence=0.9,
        source="text",
        reasons=("named",),
        insee="76351",
        dep="76",
        country="FR",
    )
    evidence = Evidence(
        post_key="bluesky:9f8e",
        event_time=NOW,
        author_id="0123456789abcdef",
        likelihood_ratio=12.0,
        contribution=2.1,
        is_witness=True,
        text="Énorme fumée noire \x1b[31m[bold]au-dessus[/bold] de la centrale",
        url="https://bsky.app/profile/x/post/1",
        copies=3,
    )
    return Alert(
        incident_id="inc-1",
        revision=1,
        level="alert",
        hazard="fire",
        place=place,
        onset=NOW,
        raised_at=NOW,
        score=1.5,
        probability=0.93,
        severity="Severe",
        urgency="Immediate",
        certainty="Likely",
        evidence=(evidence,),
        posts=4,
        authors=4,
        witnesses=2,
        copies=3,
        explanation={"fr": "Quatre personnes parlent d'un feu.", "en": "Four people speak of a fire."},
        unknowns=("no_official_word",),
        thresholds={"alert": 60.0},
        profile="default",
        versions={"hazard": "1"},
    )
