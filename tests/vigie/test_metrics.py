"""What the metrics say adds up from the source to the receiver, outlives a restart, and names nobody."""

import json
import signal
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from click.testing import Result
from prometheus_client.parser import text_string_to_metric_families

from vigie.broker import EmbeddedBroker, free_port
from vigie.metric_catalogue import catalogue, markdown

pytestmark = pytest.mark.timeout(300)

if TYPE_CHECKING:
    import subprocess

    Starts = Callable[..., "subprocess.Popen[bytes]"]

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
WITNESSES = (
    "Il y a un énorme incendie au Havre là, je vois les flammes depuis ma fenêtre",
    "Incendie au Havre, une fumée noire monte derrière la gare, les pompiers arrivent",
    "Le Havre : ça brûle toujours, j'entends les sirènes et je vois de grandes flammes sur les toits",
    "Je suis au Havre, un immeuble est en feu devant moi, les gens sortent en courant",
)
EVERYDAY, FOREST, BROKEN = 40, 20, 3
TOML = """
[territory]
commune = "76351"
[data]
dir = "data"
[kafka]
partitions = 2
[broker]
port = {broker}
[worker]
health_port = {worker}
[edge]
metrics_port = {edge}
[digest]
times = []
[[sources]]
kind = "recorded"
name = "town"
path = "posts.jsonl"
speed = 0
[[sources]]
kind = "webhook"
name = "staff"
port = {webhook}
secret_file = "secret"
[[receivers]]
kind = "jsonl"
name = "cell"
path = "cell.jsonl"
"""

Page = Mapping[str, float]
"""Samples as `/metrics` has them: `name{label="value"}`."""


class Run(NamedTuple):
    """What two processes said of themselves when all was done, and the worker once it had been started again."""

    edge: Page
    worker: Page
    worker_anew: Page


def recording(path: Path) -> None:
    """Write what a town says within a few minutes: mostly nothing, a fire, and a post that its author deletes."""
    began = datetime.now(UTC) - timedelta(minutes=6)
    told = [f"Bonjour, il fait beau ce matin, {number}" for number in range(EVERYDAY)]
    told += [f"Forêt en feu près de la ville {number}, de la fumée partout" for number in range(FOREST)]
    told += WITNESSES
    posts = [
        {"id": f"p{number}", "author": f"author {number}", "text": text, "platform": ("x", "y")[number % 2]}
        for number, text in enumerate(told)
    ]
    posts.append({**posts[-1], "text": "", "verb": "delete"})
    lines = [
        json.dumps({**post, "ts": (began + timedelta(seconds=5 * number)).isoformat()})
        for number, post in enumerate(posts)
    ]
    path.write_text("\n".join([*lines, *["no post"] * BROKEN, ""]), encoding="utf-8")


def page_at(port: int) -> Page:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {
        f"{sample.name}{json.dumps(sample.labels, sort_keys=True)}": sample.value
        for family in families
        for sample in family.samples
    }


def health_at(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
        health: dict[str, Any] = json.load(answer)
    return health


def by(page: Page, name: str, label: str, **where: str) -> Counter[str]:
    """Return the samples of a metric by one label, summed over the others; only those that have what is asked for."""
    found: Counter[str] = Counter()
    for key, value in page.items():
        if key.partition("{")[0] == name:
            labels = json.loads(key.removeprefix(name))
            if where.items() <= labels.items():
                found[labels[label]] += int(value)
    return found


@pytest.fixture(scope="module")
def run(start_vigie: "Starts", eventually: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("metrics")
    recording(folder / "posts.jsonl")
    (folder / "secret").write_text("whsec_" + "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4")
    settings, edge, worker = folder / "vigie.toml", free_port(), free_port()
    with EmbeddedBroker(log_path=folder / "broker.log") as broker:
        settings.write_text(TOML.format(broker=broker.port, worker=worker, edge=edge, webhook=free_port()))

        def start_worker(log: str) -> "subprocess.Popen[bytes]":
            process = start_vigie("worker", "--settings", settings, log=log)
            eventually(lambda: process.poll() is None and _answers(worker), f"{log} answers", secs=120)
            return process

        def is_done() -> bool:
            read, page = by(page_at(edge), "vigie_read_total", "outcome", source="town"), page_at(worker)
            health = health_at(worker)
            return (
                read.total() == EVERYDAY + FOREST + len(WITNESSES) + 1 + BROKEN
                and by(page, "vigie_step_records_total", "step")["enrich"] == read["kept"]
                and health["waiting"] == 0
                and all(health["handled"].get(topic, 0) >= number for topic, number in health["sent"].items())
                and by(page, "vigie_outbox_rows", "state")["sent"] > 0
                and by(page, "vigie_outbox_rows", "state")["pending"] == 0
                and by(page, "vigie_detector_areas", "hazard")["fire"] > 0
            )

        start_vigie("connect", "--settings", settings, log="edge")
        first = start_worker("worker")
        eventually(lambda: _answers(edge), "the edge answers", secs=120)
        eventually(is_done, "all is told", secs=120)
        pages = page_at(edge), page_at(worker)
        first.send_signal(signal.SIGTERM)
        first.wait(60)
        start_worker("worker anew")
        eventually(lambda: by(page_at(worker), "vigie_incident_active", "level"), "it is shown again", secs=120)
        return Run(*pages, page_at(worker))


def _answers(port: int) -> bool:
    try:
        return bool(page_at(port))
    except OSError:
        return False


@pytest.mark.broker
def test_what_is_read_is_the_sum_of_its_outcomes_from_the_source_to_the_receiver(run: Run) -> None:
    read = by(run.edge, "vigie_read_total", "outcome", source="town")
    assert read == {"kept": read["kept"], "gated": read["gated"], "refused": BROKEN, "not_a_post": 0}
    assert read["kept"] > len(WITNESSES)
    steps = by(run.worker, "vigie_step_records_total", "step")
    posts = by(run.worker, "vigie_posts_total", "outcome")
    signals = by(run.worker, "vigie_signals_total", "outcome")
    revisions = by(run.worker, "vigie_alerts_total", "level")
    assert steps["enrich"] == posts.total() == read["kept"]
    assert posts["delete"] == 1
    assert steps["detect"] == signals.total()
    assert signals["taken"] == by(run.worker, "vigie_signals_sent_total", "hazard").total() > 0
    assert signals["retraction"] == 2, "one for each partition"
    assert steps["notify"] == by(run.worker, "vigie_alerts_read_total", "outcome").total() == revisions.total() > 0
    told = by(run.worker, "vigie_outbox_rows", "state", receiver="cell")
    assert told.total() == revisions.total() - revisions["signal"]


@pytest.mark.broker
def test_every_post_that_says_something_is_counted_as_the_model_read_it(run: Run) -> None:
    posts = by(run.worker, "vigie_posts_total", "outcome")
    readings = by(run.worker, "vigie_readings_total", "hazard")
    assert readings.total() == posts.total() - posts["delete"]
    assert readings["fire"] >= len(WITNESSES)


@pytest.mark.broker
def test_an_incident_is_shown_with_its_place_and_without_a_word_of_anybody(run: Run) -> None:
    (shown,) = [key for key in run.worker if key.startswith("vigie_incident_active{")]
    labels = json.loads(shown.removeprefix("vigie_incident_active"))
    assert set(labels) == {"incident_id", "hazard", "level", "area", "place", "geohash"}
    assert (labels["hazard"], labels["area"], labels["place"]) == ("fire", "76", "Le Havre")
    assert labels["geohash"].startswith("u0b")
    page = "\n".join(run.worker)
    assert not any(word in page for word in ("flammes", "author", "p60"))
    assert by(run.worker, "vigie_incidents", "level", hazard="fire")[labels["level"]] == 1
    assert by(run.worker, "vigie_incidents_raised_total", "level", hazard="fire")["watch"] == 1


@pytest.mark.broker
def test_a_worker_that_is_started_again_shows_the_same_incidents_and_raises_none(run: Run) -> None:
    before, after = (
        {key for key in page if key.startswith("vigie_incident")} for page in (run.worker, run.worker_anew)
    )
    assert after == before
    assert by(run.worker_anew, "vigie_incidents_raised_total", "level").total() == 0


@pytest.mark.broker
def test_how_long_people_and_programs_wait_is_measured(run: Run) -> None:
    for name, label, wanted in (
        ("vigie_post_to_alert_seconds_count", "hazard", "fire"),
        ("vigie_alert_to_notification_seconds_count", "receiver", "cell"),
        ("vigie_step_seconds_count", "step", "detect"),
    ):
        assert by(run.worker, name, label)[wanted] > 0, name
    assert run.worker["vigie_retraction_seconds_count{}"] == 2
    usual = by(run.worker, "vigie_expected_signals_per_hour", "hazard")
    assert set(usual) == {"fire", "flood", "industrial", "other"}
    came = by(run.worker, "vigie_observed_signals_per_hour", "hazard")["fire"]
    assert came >= len(WITNESSES) - 1, "one of them deleted what he had just said"


@pytest.mark.broker
def test_what_faust_and_the_broker_do_is_measured_too(run: Run) -> None:
    assert run.worker["vigie_faust_commit_seconds_count{}"] > 0
    assert run.worker["vigie_faust_rebalances_total{}"] > 0
    assert run.worker["vigie_faust_rebalancing{}"] == 0
    for page, topic in ((run.edge, "posts.v1"), (run.worker, "signals.v1"), (run.worker, "alerts.v1")):
        assert by(page, "vigie_kafka_send_seconds_count", "topic")[topic] > 0
        assert by(page, "vigie_kafka_send_failures_total", "topic").total() == 0


@pytest.mark.broker
def test_what_has_not_happened_yet_stands_at_zero_so_that_its_first_time_is_seen(run: Run) -> None:
    assert run.edge['vigie_source_unavailable_total{"source": "staff"}'] == 0
    assert run.edge['vigie_source_gap_seconds_total{"source": "town"}'] == 0
    assert run.worker['vigie_dead_letters_total{"reason": "invalid", "topic": "signals.v1"}'] == 0
    assert run.worker['vigie_notifications_total{"outcome": "failed", "receiver": "cell"}'] == 0
    assert run.worker['vigie_outbox_waiting{"receiver": "cell"}'] == 0
    assert run.worker['vigie_incidents{"hazard": "flood", "level": "alert"}'] == 0


@pytest.mark.broker
def test_each_process_serves_what_it_counts_itself_and_its_clock(run: Run) -> None:
    worker, edge = ({key.partition("{")[0] for key in page} for page in (run.worker, run.edge))
    assert {"vigie_lag_records", "vigie_budget_per_week"} <= worker - edge
    assert {"vigie_read_total", "vigie_swept_timestamp_seconds"} <= edge - worker
    assert {"vigie_build_info", "process_cpu_seconds_total"} <= worker & edge
    for page in (run.edge, run.worker_anew):
        assert abs(page["vigie_clock_timestamp_seconds{}"] - time.time()) < 120


def test_the_page_of_metrics_is_what_the_code_says(vigie: Callable[..., Result]) -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown() == vigie("metrics").stdout, "vigie metrics > docs/metrics.md"


def test_every_metric_has_a_name_of_ours_a_process_and_a_text_for_whoever_is_on_call() -> None:
    described = catalogue()
    names = [one.name for one in described]
    assert len(names) == len(set(names)) > 50
    assert all(name.startswith("vigie_") for name in names)
    assert {one.process for one in described} == {"worker", "edge", "console", "every"}
    assert all(one.help.endswith((".", "?")) and len(one.help) > 30 for one in described)
    assert not [one.name for one in described if {"text", "author", "author_id", "url"} & set(one.labels)]
