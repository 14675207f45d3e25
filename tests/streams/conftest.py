"""What the tests of the stream program share: posts, places, stubs that say they are stubs, and an embedded broker."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from models.geoparse.group import Said
from models.reading import PostReading
from records import Geo, ManualClock, Place, Post, Signal
from streams.enrich import Enrich
from streams.settings import StreamSettings
from vigie.broker import EmbeddedBroker

MORNING = datetime(2012, 1, 30, 7, 37, tzinfo=UTC)
LE_HAVRE = Place(
    place_id="fr:76351",
    name="Le Havre",
    lat=49.4944,
    lon=0.1079,
    radius_km=5.0,
    level="commune",
    confidence=0.8,
    source="text",
    reasons=("a stub says so",),
    country="FR",
    insee="76351",
    dep="76",
)


class StubReader:
    """A stub of the hazard model: a text is read as what it says, `fire=0.9 flood=0.4`; `boom` breaks it."""

    version = "stub/1"

    def read(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[PostReading]:
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> PostReading:
        if "boom" in text:
            raise ValueError("the stub reader was told to break")
        found = dict.fromkeys(("fire", "flood", "industrial", "other"), 0.0)
        found |= {name: float(p) for name, _, p in (word.partition("=") for word in text.split() if "=" in word)}
        return PostReading(
            language="fr",
            hazards=found,
            hazard="none",
            witness=0.5,
            actuality="now",
            likelihood_ratios={name: 10 * p for name, p in found.items()},
            class_shares=dict.fromkeys(found, 0.1),
        )


class StubLocator:
    """A stub of the geoparser: every text with an `@` in it speaks of Le Havre, others of nowhere."""

    version = "stub-places/1"

    def locate(
        self, text: str, *, lang: str | None = None, geo: Geo | None = None, said: Said | None = None
    ) -> list[Place]:
        return [LE_HAVRE] if "@" in text else []


def make_post(text: str = "fire=0.9 @", number: int = 0, **fields: Any) -> Post:
    at = MORNING + timedelta(seconds=number)
    given = {"source": "stub", "id": f"p{number}", "author_id": f"a{number}", "posted_at": at, "received_at": at}
    return Post(**{**given, "text": text, **fields})


def make_signal(number: int = 0, **fields: Any) -> Signal:
    at = MORNING + timedelta(seconds=number)
    given: dict[str, Any] = {
        "post_key": f"stub:p{number}",
        "source": "stub",
        "hazard": "fire",
        "place": LE_HAVRE,
        "event_time": at,
        "received_at": at,
        "probability": 0.9,
        "likelihood_ratio": 9.0,
        "witness_probability": 0.5,
        "actuality": "now",
        "author_id": f"a{number}",
    }
    return Signal(**{**given, **fields})


@dataclass
class Message:
    """What a Faust event carries, as far as we look."""

    value: bytes | None
    partition: int = 0
    offset: int = 0
    key: bytes = b""
    topic: str = "posts.v1"


@dataclass
class FakeEvent:
    """A Faust event, as far as we look."""

    message: Message


@dataclass
class FakeConsumer:
    """A Faust consumer, as far as our health check looks."""

    highwaters: dict[Any, int] = field(default_factory=dict)
    _committed_offset: dict[Any, int | None] = field(default_factory=dict)

    def assignment(self) -> set[Any]:
        return set(self.highwaters)

    def highwater(self, tp: Any) -> int:
        return self.highwaters[tp]


@pytest.fixture
def post() -> Callable[..., Post]:
    return make_post


@pytest.fixture
def signal() -> Callable[..., Signal]:
    return make_signal


@pytest.fixture
def place() -> Place:
    return LE_HAVRE


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MORNING)


@pytest.fixture
def enrich() -> Callable[..., Enrich]:
    """Return a maker of the step, its reader and locator being stubs."""

    def make(*, source_places: dict[str, Place] | None = None, hazards: str = "fire flood industrial other") -> Enrich:
        return Enrich(
            reader=StubReader(),
            locator=StubLocator(),
            hazards=frozenset(hazards.split()),
            source_places=source_places or {},
        )

    return make


@pytest.fixture
def event() -> Callable[..., Any]:
    """Return a maker of Faust events, as far as we look at them."""

    def make(value: bytes | None = b"{}", *, partition: int = 0, offset: int = 0, key: bytes = b"") -> FakeEvent:
        return FakeEvent(Message(value, partition, offset, key))

    return make


@pytest.fixture
def app_with() -> Callable[..., Any]:
    """Return a maker of Faust apps, as far as our health check looks at them."""

    def make(highwaters: dict[Any, int], committed: dict[Any, int | None], *, rebalancing: bool = False) -> Any:
        return SimpleNamespace(consumer=FakeConsumer(highwaters, committed), rebalancing=rebalancing)

    return make


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        yield running


@pytest.fixture
def settings_for(tmp_path: Path) -> Callable[..., StreamSettings]:
    """Return a maker of stream settings."""

    def make(kafka_url: str = "kafka://127.0.0.1:1", **fields: Any) -> StreamSettings:
        return StreamSettings(kafka_url=kafka_url, data_dir=tmp_path, is_embedded=True, **fields)

    return make
