"""A profile promoted changes the next decision of a running worker, stays through a kill, and there is a way back."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from detectors.profile import profile_text
from records import Alert, DeadLetter, Post, ProfileChange, decode
from streams.declaring import declare_topics
from streams.health import Health, serve
from streams.reader import newest, read
from streams.settings import StreamSettings
from streams.topics import ALERTS, DEAD_LETTERS
from vigie import check
from vigie.broker import EmbeddedBroker, free_port
from vigie.cli import main
from vigie.deciding import JUST_AFTER, made
from vigie.pipeline import Pipeline
from vigie.promoting import in_force
from vigie.replay import settings_for

SOON_SECS = 5.0
PATIENCE_SECS = 90.0
HAVRE = "Il y a un énorme incendie au Havre là, je vois les flammes depuis ma fenêtre"
HAVRE_TOO = "Incendie au Havre, une fumée noire monte derrière la gare, les pompiers arrivent"
HAVRE_AGAIN = (
    "Le Havre : ça brûle toujours, j'entends les sirènes et je vois de grandes flammes sur les toits",
    "Je suis au Havre, un immeuble est en feu devant moi, les gens sortent en courant",
    "Grosse fumée au-dessus du Havre, l'incendie se voit depuis la plage",
)
ROUEN = "Gros incendie à Rouen, je vois les flammes depuis ma fenêtre, ça brûle fort"


def deaf(version: str = "3") -> str:
    """Return the profile of a city that would hardly ever be woken."""
    toml = profile_text("city").replace('version = "2"', f'version = "{version}"')
    return toml.replace("watch = 14.0", "watch = 0.0002").replace("alert = 0.5", "alert = 0.0001")


def change(number: int, **changes: Any) -> ProfileChange:
    fields: dict[str, Any] = {
        "change_id": f"c{number}",
        "name": "city",
        "version": "3",
        "toml": deaf(),
        "proposed_by": "analyste",
        "approved_by": "chef de salle",
        "decided_at": datetime.now(UTC),
    }
    return ProfileChange(**{**fields, **changes})


def post(number: int, text: str, at: datetime) -> Post:
    return Post(
        source="stub",
        id=f"p{number}",
        author_id=f"pseudonym{number}",
        posted_at=at,
        received_at=at,
        text=text,
        lang="fr",
    )


class Running:
    """A pipeline at work, and what it has told so far."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline

    async def told(self, text: str) -> Alert | None:
        """Return the newest revision of an incident, found by words of its first post."""
        values = (await newest(self.pipeline.streams, ALERTS)).values()
        alerts = [decode(value, Alert) for value in values]
        return next((one for one in alerts if any(text in item.text for item in one.evidence)), None)

    async def until(self, text: str, is_so: Callable[[Alert], bool]) -> Alert:
        """Wait until the newest revision of an incident is as it should be."""
        async with asyncio.timeout(PATIENCE_SECS):
            while True:
                found = await self.told(text)
                if found is not None and is_so(found):
                    return found
                await asyncio.sleep(0.05)

    async def anew(self) -> None:
        """Kill the worker and start another one."""
        await asyncio.to_thread(self.pipeline.worker.kill)
        self.pipeline.worker.start()
        await self.until_page_says(ready=True)

    async def decides_by(self) -> Any:
        health = await asyncio.to_thread(self.pipeline.worker.health)
        return (health or {}).get("profile")

    async def until_page_says(self, **expected: object) -> None:
        """Wait until the worker's health page says something."""
        async with asyncio.timeout(PATIENCE_SECS):
            while True:
                health = await asyncio.to_thread(self.pipeline.worker.health)
                if health is not None and health.items() >= expected.items():
                    return
                await asyncio.sleep(0.05)


@pytest.mark.broker
def test_the_next_decision_is_by_the_new_profile_and_nothing_that_is_known_is_lost(tmp_path: Path) -> None:
    settings = settings_for(home="76351", profile="", local_places=None, paths=[tmp_path / "nothing.jsonl"])
    now = datetime.now(UTC) - timedelta(minutes=40)

    async def lived() -> None:
        async with Pipeline(settings, partitions=4) as pipeline:
            running = Running(pipeline)
            await pipeline.posts([post(0, HAVRE, now)])
            first = await running.until(HAVRE, lambda one: one.level == "watch")
            assert (first.profile, await running.decides_by()) == ("city/2", "city/2")

            began = time.monotonic()
            await pipeline.publisher.profile_changes([change(1)])
            await running.until_page_says(profile="city/3")
            await pipeline.posts([post(1, HAVRE_TOO, now + timedelta(minutes=6))])
            second = await running.until(HAVRE, lambda one: one.revision == 2)
            assert time.monotonic() - began < SOON_SECS
            assert (second.incident_id, second.profile, second.authors) == (first.incident_id, "city/3", 2)
            assert second.thresholds["watch"] > 1e4 * first.thresholds["watch"]

            await running.anew()
            assert await running.decides_by() == "city/3"
            later = [post(n, text, now + timedelta(minutes=10 + n)) for n, text in enumerate(HAVRE_AGAIN, 2)]
            await pipeline.posts([post(9, ROUEN, now + timedelta(minutes=12)), *later])
            third = await running.until(HAVRE, lambda one: one.revision == 3)
            assert (third.incident_id, third.profile) == (first.incident_id, "city/3")
            rouen = await running.told(ROUEN)
            assert rouen is None or rouen.level == "signal"

            await pipeline.publisher.profile_changes([change(2, toml="", approved_by="", version="2")])
            await running.until_page_says(profile="city/2")
            await pipeline.posts([post(5, f"{ROUEN}, encore", now + timedelta(minutes=20))])
            back = await running.until(ROUEN, lambda one: one.level != "signal")
            assert back.profile == "city/2"

    asyncio.run(lived())


@pytest.mark.broker
def test_one_that_cannot_be_used_is_a_dead_letter_and_the_one_before_stays(tmp_path: Path) -> None:
    settings = settings_for(home="76351", profile="", local_places=None, paths=[tmp_path / "nothing.jsonl"])

    async def lived() -> tuple[dict[str, Any], list[DeadLetter]]:
        async with Pipeline(settings, partitions=2) as pipeline:
            await pipeline.profile_changes([change(1)])
            await pipeline.profile_changes([change(2, toml=deaf().replace("0.0002", "-1.0"))])
            return await pipeline.drained(), await read(pipeline.streams, DEAD_LETTERS, 2)

    health, letters = asyncio.run(lived())
    assert health["profile"] == "city/3"
    assert sorted((one.topic, one.reason, one.partition) for one in letters) == [
        ("signals.v1", "step_failed", 0),
        ("signals.v1", "step_failed", 1),
    ]
    assert "budget.watch = -1.0" in letters[0].detail


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        yield running


@pytest.fixture
def profile(broker: EmbeddedBroker, tmp_path: Path, written: Callable[[str], Path]) -> Callable[..., Result]:
    """Run `vigie profile` on a broker, with a profile to promote at candidate.toml."""
    settings = written(
        f'[territory]\ncommune = "76351"\n[broker]\nport = {broker.port}\n[data]\ndir = "{tmp_path}"\n'
        f"[kafka]\npartitions = 1\n[worker]\nhealth_port = 0\n"
    )
    asyncio.run(declare_topics(streams_on(broker, tmp_path)))
    (tmp_path / "candidate.toml").write_text(deaf(), encoding="utf-8")

    def run(command: str, *arguments: str) -> Result:
        return CliRunner().invoke(main, ["profile", command, "--settings", str(settings), *arguments])

    return run


def streams_on(broker: EmbeddedBroker, folder: Path) -> StreamSettings:
    return StreamSettings(kafka_url=broker.url, data_dir=folder, is_embedded=True, partitions=1)


BY = ("--by", "analyste", "--approved-by", "chef de salle")


@pytest.mark.broker
def test_it_is_promoted_shown_and_taken_back(profile: Callable[..., Result], tmp_path: Path) -> None:
    candidate = str(tmp_path / "candidate.toml")
    assert profile("show").output == "city/2, of the settings\nno worker of this machine says by which it decides\n"
    assert 'version = "2"' in profile("show", "--toml").output

    done = profile("promote", candidate, *BY, "--because", "moins de veilles")
    assert (done.exit_code, done.output) == (0, "in force: city/3\n")
    shown = profile("show").output
    assert shown.startswith("city/3, since ")
    assert "proposed by analyste, approved by chef de salle: moins de veilles\n" in shown
    assert profile("show", "--toml").output == deaf() + "\n"

    again = profile("promote", candidate, *BY)
    assert (again.exit_code, "give this one a version of its own" in again.output) == (2, True)

    done = profile("back", "--by", "analyste")
    assert (done.exit_code, done.output) == (0, "in force: city/2, of the settings\n")
    assert profile("show").output.startswith("city/2, of the settings, since ")
    assert 'version = "2"' in profile("show", "--toml").output


@pytest.mark.parametrize(
    ("text", "by", "found"),
    [
        (deaf(), ("--by", "analyste", "--approved-by", "Analyste"), "a second person approves"),
        (deaf(), ("--by", "analyste", "--approved-by", " "), "a second person approves"),
        (deaf(), ("--by", " ", "--approved-by", "chef"), "say who wants it"),
        (deaf().replace("0.0002", "0.0"), BY, "budget.watch = 0.0"),
        (deaf().replace("alert = 0.0001", "alert = 0.5"), BY, "more than budget.watch"),
        (deaf().replace("least_rate = 0.01", "least_rate = 99.0"), BY, "above most_rate"),
        (deaf().replace('"fire", ', ""), BY, "read at its start"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason_before_the_broker_is_asked(
    text: str, by: tuple[str, ...], found: str, tmp_path: Path, written: Callable[[str], Path]
) -> None:
    settings = written(
        f'[territory]\ncommune = "76351"\n[data]\ndir = "{tmp_path}"\n[kafka]\nurl = "kafka://127.0.0.1:1"\n'
    )
    (tmp_path / "candidate.toml").write_text(text, encoding="utf-8")
    command = ["profile", "promote", "--settings", str(settings), str(tmp_path / "candidate.toml"), *by]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 2
    assert found in done.output


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_check_says_by_which_profile_the_worker_of_this_machine_decides(
    written: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    health, port, said = Health(stall_secs=60), free_port(), list[str]()
    health.profile = "city/3"
    serve(health, "127.0.0.1", port)
    name = "territory, profile and places"
    monkeypatch.setattr(check, "CHECKS", {name: check.CHECKS[name]})
    assert check.problems_with(written(f"[worker]\nhealth_port = {port}\n"), said.append) == []
    assert said == [f"{name}: the worker of this machine decides by city/3"]


@pytest.mark.broker
def test_it_is_later_than_what_it_replaces_though_that_was_decided_by_a_clock_that_runs_ahead(
    broker: EmbeddedBroker, profile: Callable[..., Result], tmp_path: Path
) -> None:
    streams, ahead = streams_on(broker, tmp_path), datetime.now(UTC) + timedelta(hours=1)
    made(streams, change(1, version="7", toml=deaf("7"), decided_at=ahead))
    assert profile("promote", str(tmp_path / "candidate.toml"), *BY).exit_code == 0
    now = in_force(streams)
    assert now is not None
    assert (now.version, now.replaces, now.toml) == ("3", "c1", deaf())
    assert now.decided_at == ahead + JUST_AFTER, "workers take the newest"
