"""A trial in a process of its own: asked, answered in lines, stopped; the same as a backtest of the same."""

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.tuning.tuner import TrialRefused
from detectors.backtest import Value, replayed
from detectors.profile import load_profile, profile_text
from models.places import Gazetteer, shipped_gazetteer
from records import ProfileChange, Signal, encode
from records.trial import Trial, TrialAsked, TrialDone, TrialFailed, TrialProgress
from records.truth import TrueIncident, Truth
from vigie.backtest import Bench, Past
from vigie.recording import Facts, Row, table_of
from vigie.recordings import Recordings
from vigie.replay import CLOSING
from vigie.scenarios import reading
from vigie.scenarios.reading import values_of
from vigie.scenarios.scenario import scenario_from
from vigie.settings import Data, Settings, Territory
from vigie.trial import run_trial, trial
from vigie.trial_order import TrialOrder
from vigie.tuner import LocalTuner

MORNING = datetime(2012, 1, 30, 7, 37, tzinfo=UTC)
CITY = profile_text("city")
STRICT = CITY.replace("watch = 14.0", "watch = 0.01").replace("alert = 0.5", "alert = 0.01").replace('"2"', '"2.1"')
SCENARIO = """
name = { fr = "Un feu", en = "A fire" }
summary = { fr = "Un feu.", en = "A fire." }
home = "76351"
starts_at = 2012-01-30T07:00:00
hours = 3
[[happenings]]
id = "fire"
hazard = "fire"
name = { fr = "Le feu", en = "The fire" }
began_at = 2012-01-30T08:00:00
official_at = 2012-01-30T09:30:00
insee = "76351"
"""
POSTS = [
    "énorme fumée noire au-dessus du Havre, ça brûle",
    "incendie en cours au Havre, les flammes montent, je vois tout de ma fenêtre",
    "le feu au Havre !! les pompiers arrivent de partout",
    "ça brûle très fort vers la centrale du Havre, grosse fumée",
]


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return shipped_gazetteer()


@pytest.fixture
def signals(gazetteer: Gazetteer) -> list[Signal]:
    """Return ten witnesses of a fire, one a minute."""
    place = gazetteer.home_place("76351")
    return [
        Signal(
            post_key=f"bluesky:{number}",
            source="bluesky",
            hazard="fire",
            place=msgspec.structs.replace(place, source="text"),
            event_time=MORNING + timedelta(minutes=number),
            received_at=MORNING + timedelta(minutes=number, seconds=2),
            probability=0.9,
            likelihood_ratio=20.0,
            witness_probability=0.8,
            actuality="now",
            author_id=f"author-{number}",
            text="",
        )
        for number in range(10)
    ]


@pytest.fixture
def recording(tmp_path: Path, signals: list[Signal]) -> Path:
    """Record them, and a change of the profile in the middle."""
    folder = tmp_path / "recording"
    change = ProfileChange(
        change_id="c1",
        name="city",
        version="9",
        toml=CITY,
        proposed_by="a",
        approved_by="b",
        decided_at=MORNING,
    )
    records: list[Any] = [*signals[:5], change, *signals[5:]]
    rows = [Row(one, 0, number, getattr(one, "received_at", MORNING)) for number, one in enumerate(records)]
    Recordings(folder).write(folder / "2012-01-30.parquet", table_of(rows), Facts())
    return folder


def asked_of(**changes: Any) -> TrialAsked:
    fields: dict[str, Any] = {
        "in_force": CITY,
        "candidate": STRICT,
        "since": MORNING - timedelta(days=1),
        "until": MORNING + timedelta(hours=3),
        "truth": Truth(
            incidents=(
                TrueIncident(
                    incident_id="fire",
                    hazard="fire",
                    began_at=MORNING,
                    post_ids=frozenset(map(str, range(10))),
                    label={"en": "The fire"},
                ),
            )
        ),
        "has_frontiers": False,
    }
    return TrialAsked(**{**fields, **changes})


def ordered(recording: Path, **changes: Any) -> TrialOrder:
    return TrialOrder(
        asked=asked_of(**changes), commune="76351", recording=str(recording), readings=str(recording / "readings")
    )


def test_a_trial_of_the_recording_is_a_backtest_of_the_same(
    recording: Path, signals: list[Signal], gazetteer: Gazetteer
) -> None:
    asked = asked_of()
    found = trial(ordered(recording), lambda _: None)
    past = Past(tuple(signals), MORNING - timedelta(days=1), MORNING + timedelta(hours=3))
    profile = load_profile("city", gazetteer.home_place("76351"))
    same = Bench(past, asked.truth, gazetteer.wide_places()).run([profile], has_frontiers=False)
    [case] = found.cases
    mine, its = case.backtest.outcomes[0], same.outcomes[0]
    assert mine.found == its.found
    assert [(one.incident_id, one.watch_at, one.score, one.notifications) for one in mine.raised] == [
        (one.incident_id, one.watch_at, one.score, one.notifications) for one in its.raised
    ]
    assert mine.raised


def test_it_says_what_changes_and_how_an_incident_went(recording: Path) -> None:
    found = trial(ordered(recording, has_frontiers=True), lambda _: None)
    comparison = found.whole.comparison
    assert comparison is not None
    assert comparison.is_ == "worse"
    assert "watch_later" in {one.kind for one in comparison.changes}
    assert [len(line) for line in found.whole.frontiers] == [7, 7]
    [course] = found.courses
    assert sum(one.posts for one in course.spoken) == 10
    assert course.in_force[0].statistic >= course.in_force[0].watch
    assert course.in_force[0].watch < course.candidate[0].watch, "each profile has thresholds of its own"


def test_progress_only_grows_and_comes_to_its_end(recording: Path) -> None:
    said: list[TrialProgress] = []
    trial(ordered(recording, has_frontiers=True), said.append)
    done = [one.done for one in said]
    assert done == sorted(done)
    assert done[0] == 0.0
    assert 0.95 < done[-1] <= 1.0


@pytest.fixture
def a_fire(tmp_path: Path) -> Path:
    """Write a scenario: twelve witnesses of a fire, one every two minutes."""
    folder = tmp_path / "a_fire"
    folder.mkdir()
    (folder / "scenario.toml").write_text(SCENARIO, encoding="utf-8")
    rows = ["time\tid\tsource\tauthor\ttext\thappening"]
    rows += [
        f"08:{number * 2:02}:00\tf{number}\tfacebook\ta{number}\t{POSTS[number % 4]} ({number})\tfire"
        for number in range(12)
    ]
    (folder / "posts.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def test_a_scenario_brings_its_own_truth_and_a_kept_reading_gives_the_same_alerts(
    a_fire: Path, tmp_path: Path, gazetteer: Gazetteer, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ordered(tmp_path, since=None, until=None, scenarios=(str(a_fire),))
    scenario, profile = scenario_from(str(a_fire)), load_profile("city", gazetteer.home_place("76351"))

    def alerts(values: list[Value]) -> list[bytes]:
        run = replayed(profile, values, until=scenario.ends_at + CLOSING, places=gazetteer.wide_places())
        return [encode(one.alert) for one in run.told]

    anew = alerts(values_of(scenario, Path(order.readings)))
    monkeypatch.setattr(reading, "values_from", None)  # whoever reads again fails
    assert alerts(values_of(scenario, Path(order.readings))) == anew != []
    found = trial(order, lambda _: None)
    [case] = found.cases
    assert (case.name, case.kind, case.label["fr"]) == (str(a_fire), "scenario", "Un feu")
    assert case.backtest.is_complete
    assert case.backtest.outcomes[0].found[0].watch_minutes is not None
    assert found.whole.true_incidents == 1


class Reader:
    """Reads scenarios into nothing, and counts how often."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def read(self, scenario: Path) -> int:
        """Ask for what comes of a scenario; return how often one was read so far."""
        values_of(scenario_from(str(scenario)), self.folder)
        return self.count

    def values_from(self, *_: object) -> list[Value]:
        self.count += 1
        return []


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Stand in for all that reads: one file stands for code and weights."""
    (tmp_path / "weights").write_bytes(b"hazard/4")
    (tmp_path / "lexicon").write_bytes(b"torchage")
    monkeypatch.setenv("VIGIE_EDGE_LEXICON", str(tmp_path / "lexicon"))
    made = Reader(tmp_path / "readings")
    monkeypatch.setattr(reading, "READS", (tmp_path / "weights",))
    monkeypatch.setattr(reading, "values_from", made.values_from)
    return made


@pytest.mark.parametrize(
    ("changed", "word"),
    [("a_fire/posts.tsv", b"pompiers"), ("weights", b"hazard/4"), ("lexicon", b"torchage")],
)
def test_what_would_be_read_otherwise_is_read_anew(
    changed: str, word: bytes, a_fire: Path, reader: Reader, tmp_path: Path
) -> None:
    assert [reader.read(a_fire), reader.read(a_fire)] == [1, 1]
    file = tmp_path / changed
    file.write_bytes(file.read_bytes().replace(word, b"autre"))
    assert [reader.read(a_fire), reader.read(a_fire)] == [2, 2]


def test_what_cannot_be_used_is_read_anew_and_what_nobody_asked_for_the_longest_goes(
    a_fire: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.read(a_fire)
    [kept] = reader.folder.iterdir()
    kept.write_bytes(b"{")
    assert [reader.read(a_fire), reader.read(a_fire)] == [2, 2]
    monkeypatch.setattr(reading, "MOST_BYTES", 5)
    for name, at in (("old", 1), ("older", 0)):
        (reader.folder / f"{name}.jsonl").write_bytes(b"1234\n")
        os.utime(reader.folder / f"{name}.jsonl", (at, at))
    kept.unlink()
    reader.read(a_fire)
    assert {path.stem for path in reader.folder.iterdir()} == {"old", kept.stem}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"since": None}, "there is nothing to try it on", id="nothing"),
        pytest.param({"until": MORNING - timedelta(hours=23)}, "nothing was recorded from", id="an empty stretch"),
        pytest.param({"since": None, "scenarios": ("none",)}, "is no scenario", id="no such scenario"),
        pytest.param({"candidate": "x = ["}, "candidate: this is not TOML", id="no profile"),
    ],
)
def test_what_cannot_be_tried_is_told(recording: Path, changes: dict[str, Any], why: str) -> None:
    said: list[Any] = []
    assert not run_trial(msgspec.json.encode(ordered(recording, **changes)), said.append)
    assert isinstance(said[-1], TrialFailed)
    assert why in said[-1].why


@pytest.fixture
def tuner(recording: Path) -> LocalTuner:
    settings = Settings(territory=Territory(commune="76351"), data=Data(dir=recording.parent))
    return LocalTuner(settings)


async def test_a_process_tries_and_says_how_far_it_is(tuner: LocalTuner) -> None:
    said: list[TrialProgress] = []
    found = await tuner.run(asked_of(), said.append)
    assert isinstance(found, Trial)
    assert said
    assert tuner.recorded() == (MORNING, MORNING + timedelta(minutes=9, seconds=2))


async def test_a_process_that_fails_says_why(tuner: LocalTuner) -> None:
    with pytest.raises(TrialRefused, match="nothing was recorded"):
        await tuner.run(asked_of(until=MORNING - timedelta(hours=23)), lambda _: None)


async def test_a_trial_that_is_stopped_leaves_no_process(tuner: LocalTuner, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[asyncio.subprocess.Process] = []
    begin = asyncio.create_subprocess_exec

    async def noted(*command: Any, **more: Any) -> asyncio.subprocess.Process:
        begun.append(await begin(*command, **more))
        return begun[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    heard = asyncio.Event()
    running = asyncio.create_task(tuner.run(asked_of(since=None, scenarios=("lubrizol_2019",)), lambda _: heard.set()))
    await heard.wait()
    began = time.monotonic()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert time.monotonic() - began < 6.0
    assert begun[0].returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(begun[0].pid, 0)


def test_the_scenarios_that_ship_are_offered(tuner: LocalTuner) -> None:
    offered = {one.name: one for one in tuner.scenarios()}
    assert {"lubrizol_2019", "le_havre_2012"} <= set(offered)
    assert all(one.label["fr"] and one.summary["en"] and one.days > 0 for one in offered.values())


def test_a_report_comes_through_as_it_is(recording: Path) -> None:
    found = trial(ordered(recording), lambda _: None)
    done = TrialDone(trial=found)
    assert msgspec.json.decode(msgspec.json.encode(done), type=TrialProgress | TrialDone | TrialFailed) == done
