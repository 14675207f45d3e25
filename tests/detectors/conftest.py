"""Le Havre on a January morning: the place, its signals, a store that counts, and a detector at work."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from detectors.detector import Detector, Shelf
from detectors.profile import load_profile, profile_text
from records import Alert, Bulletin, Place, ProfileChange, Signal, Statement, Tick

MORNING = datetime(2012, 1, 30, 7, 37, tzinfo=UTC)


class CountingStore:
    """A table in memory that counts what is written."""

    def __init__(self, values: dict[str, bytes] | None = None) -> None:
        self.values = dict(values or {})
        self.writes = 0
        self.bytes = 0

    def get(self, key: str) -> bytes | None:
        return self.values.get(key)

    def put(self, key: str, value: bytes) -> None:
        self.writes += 1
        self.bytes += len(key) + len(value)
        self.values[key] = value

    def remove(self, key: str) -> None:
        self.writes += 1
        self.values.pop(key, None)

    def copy(self) -> "CountingStore":
        return CountingStore(self.values)


class Desk:
    """A detector with its shelf and the store below: signals and ticks in, alerts out, all of them kept."""

    def __init__(self, detector: Detector, store: CountingStore) -> None:
        self.detector = detector
        self.store = store
        self.shelf = Shelf(store)
        self.alerts: list[Alert] = []

    def tell(self, *signals: Signal) -> list[Alert]:
        new: list[Alert] = []
        for signal in signals:
            new += self.detector.observe(signal, self.shelf)
            self.write()
        self.alerts += new
        return new

    def tell_together(self, *signals: Signal) -> list[Alert]:
        """Tell what comes in one batch."""
        new = [alert for _, told in self.detector.observe_together(signals, self.shelf) for alert in told]
        self.write()
        self.alerts += new
        return new

    def heed(self, statement: Statement) -> list[Alert]:
        new = self.detector.heed(statement, self.shelf)
        self.write()
        self.alerts += new
        return new

    def promote(self, change: ProfileChange) -> bool:
        is_new = self.detector.change_profile(change, self.shelf)
        self.write()
        return is_new

    def write(self) -> None:
        for key, rewritten in self.shelf.rewritten().items():
            self.store.put(key, rewritten)
        for key, value in self.shelf.changes().items():
            if value is None:
                self.store.remove(key)
            else:
                self.store.put(key, value)

    def next_due(self, key: str = "fire/76") -> datetime | None:
        return self.detector.next_due(key, self.shelf)

    def wait(self, minutes: float, key: str = "fire/76") -> list[Alert]:
        """Let time pass until so many minutes after the morning's start, at every due moment on the way."""
        end = MORNING + timedelta(minutes=minutes)
        new: list[Alert] = []
        while True:
            due = self.next_due(key)
            if due is None or due > end:
                break
            new += self.tick(due, key)
        self.alerts += new
        return new

    def tick(self, at: datetime, key: str = "fire/76") -> list[Alert]:
        hazard, _, area = key.partition("/")
        assert hazard in ("fire", "flood")
        tick = Tick(hazard="fire" if hazard == "fire" else "flood", area=area, at=at)
        alerts = self.detector.pass_time(tick, self.shelf)
        self.write()
        return alerts

    @property
    def levels(self) -> list[str]:
        return [alert.level for alert in self.alerts]


class MakesSignals(Protocol):
    def __call__(self, number: int, minutes: float, ratio: float = 20.0, **changes: Any) -> Signal: ...


def place(**changes: Any) -> Place:
    fields: dict[str, Any] = {
        "place_id": "fr:76351",
        "name": "Le Havre",
        "lat": 49.49,
        "lon": 0.11,
        "radius_km": 6.0,
        "level": "commune",
        "confidence": 0.9,
        "source": "text",
        "reasons": ("named",),
        "country": "FR",
        "insee": "76351",
        "dep": "76",
        "population": 170_000,
    }
    return Place(**{**fields, **changes})


@pytest.fixture
def place_with() -> Callable[..., Place]:
    return place


@pytest.fixture
def home() -> Place:
    return place()


@pytest.fixture
def signal() -> MakesSignals:
    """Make a signal: the author and the content of its number, so many minutes after 07:37 UTC."""

    def made(number: int, minutes: float, ratio: float = 20.0, **changes: Any) -> Signal:
        at = MORNING + timedelta(minutes=minutes)
        fields: dict[str, Any] = {
            "post_key": f"twitter:{number}",
            "source": "twitter",
            "hazard": "fire",
            "place": place(),
            "event_time": at,
            "received_at": at,
            "probability": 0.9,
            "likelihood_ratio": ratio,
            "witness_probability": 0.9,
            "actuality": "now",
            "author_id": f"author {number}",
            "cluster_ids": (f"text:{number}",),
            "platform": "twitter",
            "text": f"La centrale brûle, {number}",
            "versions": {"hazard": "hazard/4"},
        }
        return Signal(**{**fields, **changes})

    return made


@pytest.fixture
def detector(home: Place) -> Detector:
    return Detector(load_profile("city", home))


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def desk(detector: Detector, store: CountingStore) -> Desk:
    return Desk(detector, store)


@pytest.fixture
def fresh_desk(detector: Detector) -> Callable[..., Desk]:
    """Make desks: each with a store of its own, or with the one given."""

    def made(store: CountingStore | None = None) -> Desk:
        return Desk(detector, CountingStore() if store is None else store)

    return made


@pytest.fixture
def change() -> Callable[..., ProfileChange]:
    """Make a change to the profile of a city with some settings replaced, so many minutes after the morning's start."""

    def made(minutes: float, *replaced: tuple[str, str], **changes: Any) -> ProfileChange:
        toml = profile_text("city").replace('version = "2"', 'version = "3"')
        for old, new in replaced:
            assert old in toml
            toml = toml.replace(old, new)
        fields: dict[str, Any] = {
            "change_id": f"change at {minutes}",
            "name": "city",
            "version": "3",
            "toml": toml,
            "proposed_by": "analyste",
            "approved_by": "chef de salle",
            "decided_at": MORNING + timedelta(minutes=minutes),
        }
        return ProfileChange(**{**fields, **changes})

    return made


@pytest.fixture
def state(desk: Desk, signal: MakesSignals) -> Callable[..., list[Alert]]:
    """Have an authority or an operator state something, so many minutes after the morning's start."""

    def stated(minutes: float, **changes: Any) -> list[Alert]:
        at = signal(0, minutes).event_time
        fields: dict[str, Any] = {
            "bulletin_id": f"stub:{minutes}",
            "source": "préfecture",
            "kind": "other",
            "area": "76",
            "issued_at": at,
            "received_at": at,
            "text": "Restez chez vous",
        }
        return desk.heed(Statement(hazard="fire", area="76", said=Bulletin(**{**fields, **changes})))

    return stated
