"""A model promoted is read by in the next batch of a running worker, and after a kill; what is worse is refused.

The weights here are the shipped ones with one number changed, so that they load as any others do.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from models.candidate import CandidateReport, Measured, read_candidate, write_report
from models.hazard import VERSION, WEIGHTS, digest_of, read_arrays, version_of, write_arrays
from records import ModelChange, Post, Signal, decode, encode
from streams.declaring import declare_topics
from streams.reader import standing
from streams.reader_in_force import models_folder
from streams.settings import StreamSettings
from streams.topics import SIGNALS, OnSignals
from vigie.broker import EmbeddedBroker
from vigie.check import CHECKS
from vigie.cli import main
from vigie.model_promoting import stored
from vigie.pipeline import Pipeline
from vigie.replay import settings_for
from vigie.settings import Settings

SOON_SECS = 5.0
PATIENCE_SECS = 90.0
FIRE = "Il y a un énorme incendie au Havre là, je vois les flammes depuis ma fenêtre"
BY = ("--by", "analyste", "--approved-by", "chef de salle")
WORSE = Measured(
    name="hazard, mean F1, fr", posts=1061, shipped=0.95, candidate=0.9, low=-0.07, high=-0.02, is_="worse"
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    arrays = read_arrays(WEIGHTS)
    write_arrays(folder, arrays | {"threshold": arrays["threshold"] + 0.01})
    return folder


@pytest.fixture
def candidate(weights: Path) -> Path:
    """Return a candidate that is no worse than the shipped model."""
    write_report(weights, report_of(weights))
    return weights


def report_of(folder: Path, *measured: Measured, **changes: Any) -> CandidateReport:
    fields: dict[str, Any] = {
        "version": version_of(folder),
        "weights_sha256": digest_of(folder),
        "shipped": VERSION,
        "lessons": {"rejected: figurative": 4},
        "lessons_known_by": "00",
        "weight": 4.0,
        "held_in_place_by": 1,
        "measured": measured,
        "replayed": (),
    }
    return CandidateReport(**{**fields, **changes})


def change(digest: str, version: str, number: int) -> ModelChange:
    return ModelChange(
        change_id=f"c{number}", digest=digest, version=version, proposed_by="analyste",
        approved_by="chef" if digest else "", decided_at=datetime.now(UTC),
    )  # fmt: skip


def post(number: int) -> Post:
    at = datetime.now(UTC)
    return Post(
        source="stub", id=f"p{number}", author_id=f"a{number}", posted_at=at, received_at=at,
        text=f"{FIRE} ({number})", lang="fr",
    )  # fmt: skip


async def versions_of(settings: StreamSettings, post_key: str) -> str:
    """Wait for the signal of a post, and return which model read it."""
    async with asyncio.timeout(PATIENCE_SECS):
        while True:
            async for message in standing(settings, SIGNALS):
                value = decode(message.value, OnSignals) if message.value else None
                if isinstance(value, Signal) and value.post_key == post_key:
                    return value.versions["hazard"]
            await asyncio.sleep(0.05)


async def until_page_says(pipeline: Pipeline, **expected: object) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_SECS):
        while True:
            health = await asyncio.to_thread(pipeline.worker.health)
            if health is not None and health.items() >= expected.items():
                return health
            await asyncio.sleep(0.05)


async def until_it_lacks_one(pipeline: Pipeline) -> None:
    async with asyncio.timeout(PATIENCE_SECS):
        health: dict[str, Any] | None = None
        while health is None or "should read here, and cannot" not in health["lacking"]:
            health = await asyncio.to_thread(pipeline.worker.health)


@pytest.mark.broker
def test_a_running_worker_takes_a_model_up_and_keeps_it_through_a_kill(candidate: Path, tmp_path: Path) -> None:
    settings = settings_for(home="76351", profile="", local_places=None, paths=[tmp_path / "nothing.jsonl"])
    found = read_candidate(candidate)

    async def lived() -> None:
        async with Pipeline(settings, partitions=2) as pipeline:
            await pipeline.posts([post(1)])
            assert await versions_of(pipeline.streams, "stub:p1") == VERSION

            stored(found, pipeline.streams.data_dir)
            began = time.monotonic()
            await pipeline.publisher.model_changes([change(found.digest, found.version, 1)])
            await until_page_says(pipeline, model=found.version)
            took = time.monotonic() - began
            await pipeline.posts([post(2)])
            assert await versions_of(pipeline.streams, "stub:p2") == found.version
            assert took < 2 * SOON_SECS, f"taken up after {took:.1f} s"

            await asyncio.to_thread(pipeline.worker.kill)
            pipeline.worker.start()
            await until_page_says(pipeline, ready=True, model=found.version)
            await pipeline.posts([post(3)])
            assert await versions_of(pipeline.streams, "stub:p3") == found.version

            await pipeline.publisher.model_changes([change("e" * 64, "hazard/4+eeeeeeeeeeee", 2)])
            await until_it_lacks_one(pipeline)

            await pipeline.publisher.model_changes([change("", VERSION, 3)])
            await until_page_says(pipeline, model=VERSION, lacking="")
            await pipeline.posts([post(4)])
            assert await versions_of(pipeline.streams, "stub:p4") == VERSION

    asyncio.run(lived())


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        yield running


@pytest.fixture
def model(broker: EmbeddedBroker, tmp_path: Path, written: Callable[[str], Path]) -> Callable[..., Result]:
    """Run `vigie model` on a broker."""
    settings = written(
        f'[territory]\ncommune = "76351"\n[broker]\nport = {broker.port}\n[data]\ndir = "{tmp_path}"\n'
        f"[kafka]\npartitions = 1\n[worker]\nhealth_port = 0\n"
    )
    streams = StreamSettings(kafka_url=broker.url, data_dir=tmp_path, is_embedded=True, partitions=1)
    asyncio.run(declare_topics(streams))

    def run(command: str, *arguments: str) -> Result:
        given = [] if command == "try" else ["--settings", str(settings)]
        return CliRunner().invoke(main, ["model", command, *given, *arguments])

    return run


@pytest.mark.broker
def test_it_is_promoted_shown_and_taken_back(model: Callable[..., Result], candidate: Path, tmp_path: Path) -> None:
    version, digest = version_of(candidate), digest_of(candidate)
    assert model("show").output.startswith(f"{VERSION}, which ships\n")
    done = model("promote", str(candidate), *BY, "--because", "la torchère")
    assert (done.exit_code, done.output) == (0, f"in force: {version}\n")
    assert read_candidate(models_folder(tmp_path) / digest).version == version
    assert "proposed by analyste, approved by chef de salle: la torchère\n" in model("show").output
    again = model("promote", str(candidate), *BY)
    assert (again.exit_code, "is in force already" in again.output) == (2, True)
    done = model("back", "--by", "analyste")
    assert (done.exit_code, done.output) == (0, f"in force: {VERSION}, which ships\n")


@pytest.mark.parametrize(
    ("by", "found"),
    [
        (("--by", "analyste", "--approved-by", "Analyste"), "a second person approves"),
        (("--by", "analyste", "--approved-by", " "), "a second person approves"),
        (("--by", " ", "--approved-by", "chef"), "say who wants it"),
    ],
)
def test_one_person_alone_is_refused_before_the_broker_is_asked(
    by: tuple[str, ...], found: str, candidate: Path, written: Callable[[str], Path]
) -> None:
    refused = _promoted(candidate, written, *by)
    assert (refused.exit_code, found in refused.output) == (2, True)


def _promoted(folder: Path, written: Callable[[str], Path], *arguments: str) -> Result:
    settings = written('[territory]\ncommune = "76351"\n[kafka]\nurl = "kafka://127.0.0.1:1"\n')
    return CliRunner().invoke(main, ["model", "promote", "--settings", str(settings), str(folder), *arguments])


def test_what_its_report_says_is_worse_is_refused_with_the_figures(
    weights: Path, written: Callable[[str], Path]
) -> None:
    write_report(weights, report_of(weights, WORSE))
    refused = _promoted(weights, written, *BY)
    assert refused.exit_code == 2
    assert "0.95 shipped, 0.9 candidate, on 1061 posts" in refused.output
    assert "--although-worse" in refused.output


def test_a_candidate_is_tried_before_anybody_promotes_it(weights: Path) -> None:
    write_report(weights, report_of(weights, WORSE))
    tried = CliRunner().invoke(main, ["model", "try", str(weights)])
    assert (tried.exit_code, "WORSE: hazard, mean F1, fr" in tried.output) == (2, True)
    tried = CliRunner().invoke(main, ["model", "try", str(weights), "--although-worse", "moins de fausses veilles"])
    assert (tried.exit_code, "is worse in 1\n" in tried.output) == (0, True)


@pytest.mark.parametrize(
    ("report", "found"),
    [
        (None, "nobody measured these weights"),
        ({"weights_sha256": "0" * 64}, "is about other weights"),
        ({"shipped": "hazard/3"}, "corrects hazard/3"),
    ],
)
def test_what_nobody_measured_is_refused(
    report: dict[str, Any] | None, found: str, weights: Path, written: Callable[[str], Path]
) -> None:
    (weights / "report.json").unlink(missing_ok=True)
    if report is not None:
        write_report(weights, report_of(weights, **report))
    refused = _promoted(weights, written, *BY)
    assert (refused.exit_code, found in refused.output) == (2, True)


def test_a_check_says_that_the_model_in_force_is_not_here(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data": {"dir": tmp_path}})
    folder = models_folder(tmp_path)
    folder.mkdir()
    (folder / "in-force.json").write_bytes(encode(change("e" * 64, "hazard/4+eeeeeeeeeeee", 1)))
    (problem,) = CHECKS["hazard model"](settings)
    assert "hazard/4+eeeeeeeeeeee is in force and cannot be loaded" in str(problem)
