"""Vigie watched, all of it real: `vigie run` by its unit, the rules in Prometheus, Alertmanager, the Le Havre story.

One run, in this order: each test finds it as the one before left it. Prometheus and Alertmanager are Debian's; where
they are not installed these tests are skipped, saying so, and in CI they fail instead.
"""

import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.deploy.drawn import FILES, Asked, asked, load, metrics_of, replaced, selectors
from tests.deploy.watched import DEPLOY, Watched, running

pytestmark = [pytest.mark.broker, pytest.mark.prometheus, pytest.mark.timeout(400)]

RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus" / "rules" / "vigie.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
LATER = {
    "vigie_topic_oldest_seconds": "on a Kafka, after its first sweep: tests/kafka/test_sweep_on_apache_kafka.py",
    "vigie_source_spent_usd": "of sources that cost money: tests/connectors/test_x.py",
    "vigie_source_ceiling_usd": "the same",
}
"""What a run of a minute on the embedded broker does not have, and who shows that it comes."""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Run all of it until an alert is open and has been told."""
    for program in ("prometheus", "prometheus-alertmanager"):
        if shutil.which(program) is None:
            if os.environ.get("VIGIE_REQUIRE_PROMETHEUS"):
                pytest.fail(f"there is no {program} here: install Debian's package {program}")
            pytest.skip(f"there is no {program} here: install Debian's package {program}")
    with running(tmp_path_factory.mktemp("watched")) as made:
        made.wait_until("what the town's people see is taken", made.tell)
        made.wait_until("an alert is open", lambda: made.query('vigie_incident_active{level="alert"}'))
        made.wait_until("a deletion is followed", lambda: made.query("vigie_retraction_seconds_count > 0"))
        made.wait_until("the story is read", lambda: made.query('vigie_source_state{source="story",state="off"} == 1'))
        made.wait_until("gauges are there", lambda: made.query("vigie_detector_areas"))
        made.wait_until("somebody was told", lambda: made.query("vigie_alert_to_notification_seconds_count > 0"))
        yield made


def has_data(found: list[dict[str, Any]]) -> bool:
    return any(one["value"][1] != "NaN" for one in found)


def answered(watched: Watched, one: Asked) -> str:
    """Return what is wrong with an expression, "" where it gives data."""
    try:
        found = watched.query(replaced(one.expr))
    except urllib.error.HTTPError as error:
        return f"{one.where}: {one.expr}: {error.read().decode()}"
    return "" if has_data(found) else f"{one.where}: {one.expr}: no data"


def test_every_expression_of_every_dashboard_gives_data(watched: Watched) -> None:
    expressions = {one.expr: one for path in FILES for one in asked(path)}
    assert len(expressions) > 60
    now = [one for one in expressions.values() if not metrics_of(one.expr) & LATER.keys() or "or vector" in one.expr]
    assert len(expressions) - len(now) <= 1
    assert [told for one in now if (told := answered(watched, one))] == []


def test_every_variable_of_every_dashboard_has_values(watched: Watched) -> None:
    for path in FILES:
        for variable in load(path)["templating"]["list"]:
            if variable["type"] == "query":
                metric = variable["query"]["query"].removeprefix("label_values(").partition(",")[0]
                assert {one["metric"].get(variable["name"], "") for one in watched.query(metric)} - {""}, variable


def test_what_every_rule_looks_at_is_there(watched: Watched) -> None:
    """Most rules find nothing when all is well: what they look at must be there all the same, or they never fire."""
    lacking = [
        f"{rule['alert']}: {one}"
        for rule in RULES
        for one in selectors(rule["expr"])
        if not metrics_of(one) & LATER.keys() and not watched.query(one)
    ]
    assert lacking == []


def test_prometheus_takes_every_rule_for_good_and_all_is_well(watched: Watched) -> None:
    def rules() -> dict[str, Any]:
        told = watched.asked("prometheus", "/api/v1/rules")["data"]["groups"]
        return {rule["name"]: rule for group in told for rule in group["rules"]}

    def firing() -> list[str]:
        return [name for name, rule in rules().items() if rule["state"] == "firing"]

    assert rules().keys() == {rule["alert"] for rule in RULES}
    assert {rule["health"] for rule in rules().values()} == {"ok"}
    watched.wait_until("what was wrong while it started is over", lambda: firing() == ["VigieWatchdog"])


def test_the_map_has_the_incident_and_the_town(watched: Watched) -> None:
    (incident,) = [one["metric"] for one in watched.query('vigie_incident_active{level="alert"}')]
    (home,) = [one["metric"] for one in watched.query("vigie_home")]
    assert (incident["place"], home["place"]) == ("Le Havre", "Le Havre")
    assert incident["geohash"][:4] == home["geohash"][:4] == "u0b1"


def test_the_incident_reaches_alertmanager_and_goes_to_the_cell(watched: Watched) -> None:
    def told() -> list[dict[str, Any]]:
        return [one for one in watched.alerts() if one["labels"]["alertname"] == "VigieIncident"]

    alerts = watched.wait_until("it is there", told)
    receivers = {one["labels"]["level"]: one["receivers"][0]["name"] for one in alerts}
    assert receivers["alert"] == "cell"
    assert receivers.get("watch", "nobody") == "nobody"
    watched.wait_until("the cell is told", lambda: [mail for mail in watched.mails() if "ALERTE" in mail["subject"]])


def test_a_source_that_goes_away_is_told_with_what_to_do(watched: Watched) -> None:
    watched.end("mastodon")

    def told() -> list[dict[str, Any]]:
        return [one for one in watched.alerts() if one["labels"]["alertname"] == "VigieSourceSilent"]

    (alert,) = watched.wait_until("the alert is in Alertmanager", told)
    assert alert["labels"]["source"] == "mastodon"
    assert "docs" not in alert["labels"]
    assert alert["annotations"]["summary"] == "Source muette : mastodon"
    assert alert["receivers"] == [{"name": "operator"}]
    watched.wait_for_the_manual()
    with urllib.request.urlopen(alert["annotations"]["runbook_url"], timeout=10) as answer:  # noqa: S310  our own address
        page = answer.read().decode()
    assert re.search(r"<h1[^>]*>VigieSourceSilent", page)
    assert "Personne la nuit, si une autre source de la même voie est écoutée" in page

    def mailed() -> list[Any]:
        return [mail for mail in watched.mails() if mail["subject"] == "Source muette : mastodon"]

    (mail, *_) = watched.wait_until("the operator has a mail", mailed)
    text = mail.get_body(("plain",)).get_content()
    assert "Source silent: mastodon" in text
    assert f"Que faire / what to do : {alert['annotations']['runbook_url']}" in text


def test_a_killed_vigie_is_told_and_is_started_again(watched: Watched) -> None:
    watched.kill_vigie()

    def told() -> list[dict[str, Any]]:
        return [one for one in watched.alerts() if one["labels"]["alertname"] == "VigieEdgeDown"]

    (alert,) = watched.wait_until("that nobody listens is told", told)
    assert alert["receivers"] == [{"name": "on-call"}]

    def is_told_alone() -> bool:
        others = [one for one in watched.alerts() if one["labels"]["alertname"] != "VigieEdgeDown"]
        return all(one["status"]["inhibitedBy"] for one in others if one["labels"].get("part") in {"source", "edge"})

    watched.wait_until("only the cause is told", is_told_alone)
    watched.wait_until("the unit has started it again", lambda: watched.vigie.starts == 2)
