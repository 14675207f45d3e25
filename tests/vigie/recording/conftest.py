"""What the tests of the recording share: a day's signals with all that detectors take, and a folder for recordings."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from records import Bulletin, ManualClock, Place, Retraction, Signal, Statement, Tick, Verdict, encode
from streams.resuming import Lying
from streams.settings import StreamSettings
from vigie.recorder import Recorder
from vigie.recordings import Recordings

MORNING = datetime(2012, 1, 30, 7, 37, tzinfo=UTC)
COMMUNES = {"76351": ("Le Havre", 49.494, 0.108, 170_000), "76540": ("Rouen", 49.443, 1.099, 114_000)}
WORDS = (
    "Énorme fumée noire vers le nord, ça vient de la centrale",
    "Une torchère au sud ? flammes visibles de loin",
    "ça sent très mauvais, odeur de soufre dans tout le quartier",
    "Quel vacarme, un bruit sourd depuis dix minutes",
    "Les sirènes sonnent, quelqu'un sait ?",
    "La centrale brûle",
)


def place(insee: str = "76351", **changes: Any) -> Place:
    name, lat, lon, population = COMMUNES[insee]
    fields: dict[str, Any] = {
        "place_id": f"fr:{insee}",
        "name": name,
        "lat": lat,
        "lon": lon,
        "radius_km": 6.0,
        "level": "commune",
        "confidence": 0.9,
        "source": "text",
        "reasons": (f"« {name} » est écrit",),
        "country": "FR",
        "insee": insee,
        "dep": "76",
        "epci": "200084952" if insee == "76351" else "200023414",
        "region": "28",
        "population": population,
    }
    return Place(**{**fields, **changes})


def signal(number: int, minutes: float = 0.0, **changes: Any) -> Signal:
    at = MORNING + timedelta(minutes=minutes)
    fields: dict[str, Any] = {
        "post_key": f"bluesky:post-{number}",
        "source": "bluesky",
        "hazard": "fire",
        "place": place(),
        "event_time": at,
        "received_at": at + timedelta(seconds=2, microseconds=number),
        "probability": 0.87,
        "likelihood_ratio": 20.0,
        "witness_probability": 0.7,
        "actuality": "now",
        "author_id": f"author-{number}",
        "url": f"https://example.org/{number}",
        "text": f"{WORDS[number % len(WORDS)]} ({number})",
        "language": "fr",
        "candidates": (place("76540"),),
        "versions": {"hazard": "hazard/4", "place": "places/7"},
    }
    return Signal(**{**fields, **changes})


def a_day(seed: int) -> list[Any]:
    """Return what stands on the topic on a day with a fire and a flare that was announced, in the order it came."""
    chance = random.Random(seed)  # noqa: S311  no secret
    records: list[Any] = []
    for number in range(300):
        minutes = 600 * number / 300 + chance.uniform(-4, 4)
        strong = 120 < minutes < 200 or 400 < minutes < 430
        insee = chance.choice(("76351", "76351", "76540"))
        where = place(insee, confidence=round(chance.uniform(0.4, 1.0), 3))
        if chance.random() < 0.1:
            where = place(
                insee, source="geotag", level="point", lat=49.4901 + chance.random() / 50, radius_km=0.1, h3="881fb46a1"
            )
        kind = chance.choice(("person",) * 6 + ("press", "official", "operator"))
        records.append(
            signal(
                number,
                minutes,
                place=where,
                hazard=chance.choice(("fire", "fire", "industrial", "flood")),
                author_id=f"author-{chance.randrange(120)}" if chance.random() < 0.95 else "",
                likelihood_ratio=round(chance.uniform(2, 60) if strong else chance.uniform(0.05, 1.4), 6),
                probability=round(chance.random(), 6),
                witness_probability=round(chance.random(), 6),
                chatter=round(1 + chance.random(), 3),
                author_kind=kind,
                author_tier=1 if kind != "person" else 0,
                is_relay=chance.random() < 0.1,
                is_denial=kind in ("official", "operator") and chance.random() < 0.3,
                has_image=chance.random() < 0.3,
                cluster_ids=(f"t:{chance.randrange(80):016x}",) if chance.random() < 0.6 else (),
                fingerprint=chance.getrandbits(63) - (1 << 62) if chance.random() < 0.7 else 0,
                doubts=("old_link",) if chance.random() < 0.1 else (),
                platform=chance.choice(("bluesky", "mastodon")),
            )
        )
        if number % 40 == 20:
            records.append(Tick(hazard="fire", area="76", at=MORNING + timedelta(minutes=minutes)))
    records.insert(60, Statement(hazard="industrial", area="76", said=notice()))
    records.insert(61, Statement(hazard="fire", area="76", said=notice()))
    gone = [
        Retraction(at=MORNING + timedelta(minutes=220), post_key=f"bluesky:post-{number}") for number in range(65, 85)
    ]
    return [*records[:120], *gone, *records[120:]]


def notice() -> Bulletin:
    return Bulletin(
        bulletin_id="torchage",
        source="notices",
        kind="operator_notice",
        area="76",
        issued_at=MORNING + timedelta(minutes=100),
        received_at=MORNING + timedelta(minutes=100),
        text="Torchage prévu ce matin, flamme visible",
        hazard=None,
        phenomenon="flare",
        place=place(radius_km=2.0),
        starts_at=MORNING + timedelta(minutes=90),
        ends_at=MORNING + timedelta(minutes=500),
    )


def split_of(*post_keys: str) -> Statement:
    verdict = Verdict(
        incident_id="fire-76351",
        hazard="fire",
        area="76",
        decision="split",
        decided_at=MORNING + timedelta(minutes=50),
        decided_by="permanence",
        decision_id="d1",
        post_keys=post_keys,
    )
    return Statement(hazard="fire", area="76", said=verdict)


@pytest.fixture
def heard() -> Callable[..., Signal]:
    """Make a signal: `heard(3, minutes=10, author_id="author-1")`."""
    return signal


@pytest.fixture
def day() -> Callable[[int], list[Any]]:
    """Make a day's records."""
    return a_day


@pytest.fixture
def split() -> Callable[..., Statement]:
    """Make the decision that posts speak of something else."""
    return split_of


class Line:
    """A partition after the other, as a broker has them, into a recorder."""

    def __init__(self) -> None:
        self.offsets: dict[int, int] = {}

    def of(self, *records: Any, partition: int = 0, is_anew: bool = False, at: datetime | None = None) -> list[Lying]:
        found = []
        for record in records:
            offset = self.offsets.get(partition, 0)
            self.offsets[partition] = offset + 1
            value = record if isinstance(record, bytes) else encode(record)
            found.append(Lying(partition, offset, value, at, is_anew))
        return found


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MORNING + timedelta(hours=12))


@pytest.fixture
def recordings(tmp_path: Path) -> Recordings:
    return Recordings(tmp_path / "recording")


@pytest.fixture
def recorder_for(recordings: Recordings, clock: ManualClock, tmp_path: Path) -> Callable[..., Recorder]:
    """Make a recorder that is told what it reads; nothing of it asks a broker."""

    def make(*, keep_days: int = 90, is_on: bool = True) -> Recorder:
        settings = StreamSettings(kafka_url="kafka://127.0.0.1:1", data_dir=tmp_path, partitions=4)
        recorder = Recorder(recordings, settings, clock, keep=timedelta(days=keep_days), is_on=is_on)
        recorder.begin()
        return recorder

    return make
