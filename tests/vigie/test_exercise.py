"""`vigie scenario play`: into a Vigie in exercise mode and no other, as if it were now; its drafts say Exercise."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from records import Alert, ManualClock, Post, SourceStatus, SystemClock
from streams.declaring import declare_topics
from streams.publisher import KafkaPublisher
from streams.reader import read
from streams.topics import ALERTS, CONTEXT, POSTS
from vigie.broker import EmbeddedBroker, free_port
from vigie.children import Child
from vigie.scenarios.exercise import Part, Schedule, doubts_about, part_of, refuse_outside_of_exercises, source_name
from vigie.scenarios.scenario import Scenario, scenario_from
from vigie.settings import Settings, load

Runs = Callable[..., Result]

DOCS = Path(__file__).parents[2] / "docs"
READY_SECS = 120.0
EXERCISE = (
    '[territory]\ncommune = "76351"\n[console]\nis_exercise = true\nmetrics_port = 0\n[broker]\nport = {port}\n'
    "[edge]\nmetrics_port = 0\n[worker]\nhealth_port = {health}\n"
    '[[sources]]\nkind = "recorded"\nname = "town"\npath = "none.jsonl"\nplace = "76351"\n'
    '[[receivers]]\nkind = "cap"\nfolder = "cap"\nbase_url = "https://vigie.example"\nsender = "v@ville.example"\n'
    'status = "Exercise"\n'
)
SCENARIO = (
    'name = { fr = "Le feu" }\nsummary = { fr = "Un entrepôt brûle" }\nhome = "76351"\n'
    "starts_at = 2026-03-03T19:00:00\nhours = 1\n"
    '[[happenings]]\nid = "fire"\nhazard = "fire"\nname = { fr = "Le feu" }\nbegan_at = 2026-03-03T19:00:00\n'
    'insee = "76351"\n'
    '[sites."Usine du port"]\nlat = 49.48\nlon = 0.15\nradius_km = 3.0\ninsee = "76351"\n'
)
POSTS_TOLD = (
    "time\tsource\tauthor\tmarks\thappening\ttext\n"
    "19:00:10\tfacebook\tw1\t\tfire\til y a le feu dans un entrepôt, je vois des flammes énormes de ma fenêtre\n"
    "19:00:30\ttwitter\tw2\timage\tfire\tGros incendie au Havre, un entrepôt brûle, énorme fumée noire\n"
    "19:00:40\ttwitter\tw3\t\t\tun café et au lit, bonne soirée à tous\n"
    "19:00:50\ttwitter\to1\tofficial\tfire\tLe Havre : incendie d'un entrepôt, les pompiers sont sur place\n"
)
NOTICES_TOLD = "site;phénomène;début;publié le\nUsine du port;torche;03/03/2026 18:00;03/03/2026 19:00:20\n"


@pytest.fixture(scope="module")
def scenario_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fire")
    (folder / "scenario.toml").write_text(SCENARIO, encoding="utf-8")
    (folder / "posts.tsv").write_text(POSTS_TOLD, encoding="utf-8")
    (folder / "notices.csv").write_text(NOTICES_TOLD, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def scenario(scenario_folder: Path) -> Scenario:
    return scenario_from(str(scenario_folder))


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        pytest.param(
            "",
            "console.is_exercise: is false: nobody would know that nothing of it is real; "
            "set it to true in the settings of an exercise, and start its Vigie anew",
            id="a live one",
        ),
        pytest.param(
            '[console]\nis_exercise = true\n[[receivers]]\nkind = "cap"\nfolder = "cap"\n'
            'base_url = "https://vigie.example"\nsender = "v@ville.example"\n',
            "receivers.cap.status: found 'Draft'; give \"Exercise\"",
            id="drafts",
        ),
        pytest.param(
            '[console]\nis_exercise = true\n[[receivers]]\nkind = "apprise"\nurls_file = "people"\n',
            "receivers.apprise.is_exercise: is false; set it to true: every message then begins with EXERCICE",
            id="messages without the word",
        ),
        pytest.param(
            '[console]\nis_exercise = true\n[[receivers]]\nkind = "webhook"\nname = "sig"\nurl = "https://sig.example"\n'
            'secret_file = "s"\n',
            "receivers.sig: webhook cannot say that something is an exercise; "
            "leave it out of the settings of an exercise",
            id="a program that cannot tell",
        ),
        pytest.param(
            '[console]\nis_exercise = true\n[[receivers]]\nkind = "feeds"\nfolder = "feeds"\n',
            "receivers.feeds: feeds cannot say that something is an exercise; "
            "leave it out of the settings of an exercise",
            id="a map that cannot tell",
        ),
    ],
)
def test_it_is_not_played_where_it_could_be_taken_for_real(
    toml: str, expected: str, vigie: Runs, written: Callable[[str], Path], scenario_folder: Path
) -> None:
    result = vigie("scenario", "play", scenario_folder, "--settings", written(toml))
    assert result.exit_code == 2
    assert expected in result.stderr


def test_all_that_stands_in_the_way_is_told_at_once(
    vigie: Runs, written: Callable[[str], Path], scenario_folder: Path
) -> None:
    toml = '[[receivers]]\nkind = "apprise"\nurls_file = "people"\n'
    result = vigie("scenario", "play", scenario_folder, "--settings", written(toml))
    assert "console.is_exercise" in result.stderr
    assert "receivers.apprise.is_exercise" in result.stderr


@pytest.mark.parametrize("name", ["scenarios.fr.md", "scenarios.md"])
def test_the_settings_that_the_manual_shows_are_those_of_an_exercise(
    name: str, loaded: Callable[[str], Settings], scenario: Scenario
) -> None:
    found = re.search(r"```toml\n(.*?)```", (DOCS / name).read_text(encoding="utf-8"), re.DOTALL)
    assert found
    settings = loaded(found[1])
    refuse_outside_of_exercises(settings)
    assert list(doubts_about(scenario, settings)) == []


async def test_a_moment_of_it_comes_so_long_after_its_beginning_as_the_speed_says() -> None:
    began = datetime(2026, 11, 30, 9, tzinfo=UTC)
    clock = ManualClock(began)

    async def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    since = datetime(2012, 1, 30, 8, tzinfo=UTC)
    schedule = Schedule(clock, Part(since=since, until=since + timedelta(hours=1), speed=4.0), sleep=sleep)
    assert await schedule.wait_for(since + timedelta(minutes=2)) == began + timedelta(seconds=30)
    assert clock.now() == began + timedelta(seconds=30)
    assert await schedule.wait_for(since + timedelta(minutes=1)) == began + timedelta(seconds=15)


@pytest.mark.parametrize(
    ("since", "until", "hours"), [("", "", 36.0), ("+1 08:00", "", 22.0), ("+1 08:00", "+1 09:30", 1.5)]
)
def test_a_part_of_it_is_named_by_the_clock(since: str, until: str, hours: float) -> None:
    part = part_of(scenario_from("le_havre_2012"), since, until, 1.0)
    assert part.until - part.since == timedelta(hours=hours)


def test_a_part_of_which_nothing_is_left_is_refused(
    vigie: Runs, written: Callable[[str], Path], scenario_folder: Path
) -> None:
    result = vigie("scenario", "play", scenario_folder, "--from", "21:00", "--settings", written(""))
    assert (result.exit_code, "nothing is left until 2026-03-03 20:00" in result.stderr) == (2, True)


def test_what_comes_from_the_town_s_groups_bears_the_name_of_a_source_of_the_town(
    scenario: Scenario, loaded: Callable[[str], Settings]
) -> None:
    settings = loaded(EXERCISE.format(port=1, health=1))
    assert source_name("facebook", scenario, settings) == "town"
    assert source_name("twitter", scenario, settings) == "twitter"
    assert list(doubts_about(scenario, settings)) == []


def test_what_would_be_other_than_meant_is_said(scenario: Scenario, loaded: Callable[[str], Settings]) -> None:
    commune, nowhere = doubts_about(scenario, loaded('[territory]\ncommune = "76540"\n'))
    assert commune.startswith('territory.commune: is "76540", the scenario is told for "76351"')
    assert nowhere.startswith('sources: none has place = "76351": posts of facebook that name no place are nowhere')


def test_what_the_settings_of_an_exercise_lack_is_said(loaded: Callable[[str], Settings]) -> None:
    places, profile, duty = doubts_about(
        replace(scenario_from("undeclared"), profile="departement"), loaded(EXERCISE.format(port=1, health=1))
    )
    assert places.startswith("territory.local_places: is not set, the scenario has ")
    assert profile == 'territory.profile: is "", the scenario is told for "departement"'
    assert duty.startswith("duty: nobody is to be called here")


@dataclass(frozen=True)
class Running:
    """A Vigie in exercise mode: broker and worker, as `vigie run` starts them."""

    file: Path
    settings: Settings


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("exercise")
    file = folder / "vigie.toml"
    health = free_port()
    with EmbeddedBroker(log_path=folder / "broker.log") as broker:
        file.write_text(EXERCISE.format(port=broker.port, health=health), encoding="utf-8")
        settings = load(file)
        asyncio.run(declare_topics(settings.streams()))
        worker = Child("worker", ["worker", "--settings", str(file)], environ={}, health_port=health)
        worker.start()
        try:
            deadline = time.monotonic() + READY_SECS
            while not (worker.health() or {}).get("ready"):
                assert time.monotonic() < deadline
                assert worker.poll() is None
                time.sleep(0.2)
            yield Running(file, settings)
        finally:
            worker.stop()


@pytest.fixture(scope="module")
def played(running: Running, scenario_folder: Path) -> None:
    """Play the fire into it."""
    command = ["scenario", "play", str(scenario_folder), "--settings", str(running.file), "--speed", "10"]
    child = Child("play", [*command, "--until", "19:01:00"], environ={})
    child.start()
    assert child.process is not None
    assert child.process.wait(60) == 0


def drafts_in(folder: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.xml"))]


async def posts_on(settings: Settings, count: int) -> list[Post]:
    found: list[Post] = await read(settings.streams(), POSTS, count)
    return found


@pytest.mark.broker
@pytest.mark.usefixtures("played")
def test_posts_and_notices_come_as_if_they_were_said_now(running: Running) -> None:
    posts = asyncio.run(posts_on(running.settings, 3))  # what speaks of a coffee stays at the gate
    assert {post.source for post in posts} == {"town", "twitter"}
    assert all(abs(datetime.now(UTC) - post.posted_at) < timedelta(minutes=3) for post in posts)
    assert {post.platform for post in posts} == {"facebook", "twitter"}
    said_at = sorted(post.posted_at for post in posts)
    assert said_at[-1] - said_at[0] == timedelta(seconds=4)  # forty of the scenario, ten times as fast
    (notice,) = asyncio.run(read(running.settings.streams(), CONTEXT, 1))
    assert abs(datetime.now(UTC) - notice.issued_at) < timedelta(minutes=3)
    assert notice.starts_at == notice.issued_at - timedelta(minutes=60, seconds=20) / 10


@pytest.mark.broker
@pytest.mark.usefixtures("played")
def test_the_alert_that_it_raises_says_exercise_in_cap(running: Running) -> None:
    folder, deadline = running.file.parent / "cap", time.monotonic() + 60
    while not drafts_in(folder) and time.monotonic() < deadline:
        time.sleep(0.2)
    (alert,) = asyncio.run(read(running.settings.streams(), ALERTS, 1))
    assert isinstance(alert, Alert)
    assert alert.place.insee == "76351"
    statuses = {status for text in drafts_in(folder) for status in re.findall("<status>(.*?)</status>", text)}
    assert statuses == {"Exercise"}


@pytest.mark.broker
@pytest.mark.usefixtures("played")
def test_it_is_not_played_where_real_sources_are_listened_to(
    running: Running, vigie: Runs, scenario_folder: Path
) -> None:
    async def listened_to() -> None:
        publisher = KafkaPublisher(running.settings.streams())
        now = SystemClock().now()
        await publisher.statuses(
            [SourceStatus(source="bluesky", way="network", state="listening", at=now, since=now, last_sign_at=now)]
        )
        await publisher.stop()

    asyncio.run(listened_to())
    result = vigie("scenario", "play", scenario_folder, "--settings", running.file)
    assert result.exit_code == 2
    assert "sources: bluesky listened to on this broker" in result.stderr
