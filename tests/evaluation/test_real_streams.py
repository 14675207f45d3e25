"""Real streams through the whole pipeline: delay from the onset, and what was raised before it.

None of these events taught the models. `pytest tests/evaluation -s` prints the figures of docs/evaluation.md.
Volumes are those of a one-per-cent sample, but for Napa; the authors of the posts are not in the data, so each post
counts as another author's.
"""

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from models.places.geometry import distance_km
from records import Alert, SystemClock
from vigie.replay import Replayed, run_replay, settings_for

pytestmark = [pytest.mark.data, pytest.mark.broker]

DATA = Path(os.environ.get("VIGIE_LABELLED_POSTS", "absent"))


@dataclass(frozen=True)
class Happening:
    """What happened, and how soon the first watch there must come."""

    file: str
    onset: str
    lat: float
    lon: float
    reach_km: float
    within: timedelta


HAPPENINGS = {
    "boston_bombings_2013": Happening(
        "t6/boston_bombings_2013", "2013-04-15T18:49:43Z", 42.35, -71.08, 60, timedelta(minutes=60)
    ),
    "oklahoma_tornado_2013": Happening(
        "t6/oklahoma_tornado_2013", "2013-05-20T19:56:00Z", 35.34, -97.49, 80, timedelta(minutes=20)
    ),
    "guatemala_earthquake_2012": Happening(
        "t26/guatemala_earthquake_2012", "2012-11-07T16:35:47Z", 13.99, -91.9, 250, timedelta(minutes=60)
    ),
    "spain_train_crash_2013": Happening(
        "t26/spain_train_crash_2013", "2013-07-24T18:41:00Z", 42.86, -8.53, 120, timedelta(hours=4)
    ),
    "costa_rica_earthquake_2012": Happening(
        "t26/costa_rica_earthquake_2012", "2012-09-05T14:42:08Z", 9.93, -84.08, 250, timedelta(minutes=30)
    ),
    "napa_earthquake_2014": Happening(
        "geo_streams/napa_earthquake_2014", "2014-08-24T10:20:44Z", 38.22, -122.31, 120, timedelta(minutes=2)
    ),
}


ALWAYS = "guatemala_earthquake_2012"
"""The smallest; the others together take minutes."""


@pytest.fixture(
    scope="module",
    params=[pytest.param(one, marks=[] if one == ALWAYS else [pytest.mark.long]) for one in HAPPENINGS],
)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def replayed(name: str, tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    source = DATA / f"{HAPPENINGS[name].file}.jsonl.gz"
    if not source.is_file():
        pytest.skip(f"no labelled posts at {source}: set VIGIE_LABELLED_POSTS to their folder")
    path = tmp_path_factory.mktemp("streams") / f"{name}.jsonl"
    path.write_text("".join(json.dumps(post) + "\n" for post in plain_posts(source)), encoding="utf-8")
    return run_replay([path], settings_for(home="", profile="", local_places=None, paths=[path]), SystemClock())


def plain_posts(source: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(source, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if row.get("ts"):
                found = {key: row[key] for key in ("ts", "text", "lang", "geo") if row.get(key)}
                yield {"id": str(row["id"]), "source": "twitter", "author": str(row["id"]), **found}


def first_said(source: Path, onset: datetime) -> datetime:
    """Return when the first post that its labels call relevant was written, after the onset."""
    with gzip.open(source, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    times = [datetime.fromisoformat(row["ts"]) for row in rows if row.get("ts") and row["hazard"] != "none"]
    return min(at for at in times if at >= onset)


def first_there(happening: Happening, alerts: tuple[Alert, ...], levels: set[str]) -> datetime | None:
    """Return when one of these levels was first reached near the happening, after it began."""
    onset = datetime.fromisoformat(happening.onset)
    times = [
        alert.raised_at
        for alert in alerts
        if alert.level in levels
        and alert.raised_at >= onset
        and distance_km(alert.place.lat, alert.place.lon, happening.lat, happening.lon) <= happening.reach_km
    ]
    return min(times, default=None)


def test_a_watch_comes_soon_and_no_alert_before_the_onset(name: str, replayed: Replayed) -> None:
    happening = HAPPENINGS[name]
    onset = datetime.fromisoformat(happening.onset)
    watch = first_there(happening, replayed.alerts, {"watch", "alert"})
    alert = first_there(happening, replayed.alerts, {"alert"})
    said = first_said(DATA / f"{happening.file}.jsonl.gz", onset)
    early = {a.incident_id for a in replayed.alerts if a.raised_at < onset}
    early_alerts = {a.incident_id for a in replayed.alerts if a.raised_at < onset and a.level == "alert"}
    print(  # noqa: T201
        f"\n{name}: {replayed.posts} posts, {replayed.passed} through the gate; "
        f"first relevant post after {said - onset}; "
        f"watch after {watch and watch - onset}, alert after {alert and alert - onset}; "
        f"before the onset {len(early)} watches, {len(early_alerts)} alerts; "
        f"{len({a.incident_id for a in replayed.alerts})} incidents in all"
    )
    assert watch is not None
    assert watch - onset <= happening.within
    assert not early_alerts
    assert not replayed.bad
