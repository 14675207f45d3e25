"""The rules: each is understood by Prometheus, shown to fire and to be still, and has a page that says what to do."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.sinks.alertmanager import ALERT_NAME
from tests.deploy.drawn import ROOT
from tests.deploy.watched import hurried
from vigie.settings import Settings

DEPLOY = ROOT / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
ALERTMANAGER = DEPLOY / "alertmanager" / "alertmanager.yml"
RULES_FILE, TESTS_FILE = PROMETHEUS / "rules" / "vigie.yml", PROMETHEUS / "tests" / "vigie.yml"
RUNBOOKS = ROOT / "docs" / "runbooks"
ANNOTATIONS = ["summary", "summary_en", "description", "description_en", "runbook_url"]
PARTS = (
    (
        "## En français",
        "**Ce que cela veut dire.**",
        "**Ce que l'on voit.**",
        "**À ne pas faire.**",
        "**Qui réveiller.**",
    ),
    ("## In English", "**What it means.**", "**What people see.**", "**What not to do.**", "**Whom to wake.**"),
)
SEVERITIES = {"critical", "warning", "info", "none"}
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(RULES_FILE.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]
]
NAMES = [rule["alert"] for rule in RULES]
CASES: list[dict[str, Any]] = yaml.safe_load(TESTS_FILE.read_text(encoding="utf-8"))["tests"]
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])


def told_by(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of Prometheus's own tools."""
    path = shutil.which(program)
    if path is None:
        if os.environ.get("VIGIE_REQUIRE_PROMETHEUS"):
            pytest.fail(f"there is no {program} here: install Debian's packages prometheus and prometheus-alertmanager")
        pytest.skip(f"there is no {program} here: Debian's prometheus has promtool, prometheus-alertmanager has amtool")
    return subprocess.run(  # noqa: S603
        [path, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.prometheus
def test_prometheus_understands_its_configuration_and_the_rules() -> None:
    done = told_by("promtool", "check", "config", "--lint=all", "--lint-fatal", str(PROMETHEUS / "prometheus.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.prometheus
def test_every_rule_fires_when_it_must_and_only_then() -> None:
    done = told_by("promtool", "test", "rules", str(TESTS_FILE))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.prometheus
def test_a_rule_that_would_not_fire_any_more_is_found(tmp_path: Path) -> None:
    """So that the test above says something: with another limit, or another wait, it fails."""
    for wrong in (('{state="blind"} == 1', '{state="blind"} == 2'), ("for: 5m", "for: 50m")):
        folder = tmp_path / str(len(wrong[1]))
        shutil.copytree(PROMETHEUS, folder)
        rules = folder / "rules" / "vigie.yml"
        rules.write_text(rules.read_text(encoding="utf-8").replace(*wrong), encoding="utf-8")
        tests = yaml.safe_load(TESTS_FILE.read_text(encoding="utf-8"))
        tests["tests"] = [case for case in tests["tests"] if "VigieSourceSilent" in case["name"]]
        (folder / "tests" / "vigie.yml").write_text(yaml.safe_dump(tests), encoding="utf-8")
        assert told_by("promtool", "test", "rules", str(folder / "tests" / "vigie.yml")).returncode == 1, wrong


@every_rule
def test_a_rule_is_shown_to_fire_and_to_be_still(rule: dict[str, Any]) -> None:
    mine = f'"{rule["alert"]}"'
    asked = [one for case in CASES for one in case["promql_expr_test"] if mine in one["expr"]]
    assert any(one["exp_samples"] and one["exp_samples"][0]["value"] == 1 for one in asked)
    assert any(not one["exp_samples"] or one["exp_samples"][0]["value"] == 0 for one in asked)


@every_rule
def test_a_rule_says_how_grave_it_is_of_what_and_what_to_do_in_both_languages(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in SEVERITIES
    assert rule["labels"].keys() == {"severity", "part"}
    assert list(rule["annotations"]) == ANNOTATIONS
    assert rule["annotations"]["runbook_url"] == f"{{{{ $externalLabels.docs }}}}/runbooks/{rule['alert']}.html"
    assert rule["annotations"]["summary"] != rule["annotations"]["summary_en"]
    assert rule["annotations"]["description"] != rule["annotations"]["description_en"]


@every_rule
def test_a_rule_has_a_page(rule: dict[str, Any]) -> None:
    page = (RUNBOOKS / f"{rule['alert']}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {rule['alert']}\n")
    for parts in PARTS:
        places = [page.find(part) for part in parts]
        assert -1 not in places, f"{rule['alert']}: no {parts[places.index(-1)]}"
        assert places == sorted(places), rule["alert"]
    french, english = page.split("## In English")
    steps = re.compile(r"^(\d+)\. ", re.MULTILINE)
    assert steps.findall(french) == steps.findall(english) != [], "as many steps in both languages"


def test_every_page_has_a_rule_and_is_listed() -> None:
    assert sorted(path.stem for path in RUNBOOKS.glob("Vigie*.md")) == sorted(NAMES)
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| (\w+) \|", index, re.MULTILINE))
    assert listed == {rule["alert"]: rule["labels"]["severity"] for rule in RULES}


def test_what_pages_point_to_is_there() -> None:
    for path in RUNBOOKS.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).is_file(), f"{path.name}: {target}"


def test_prometheus_looks_where_vigie_serves_its_metrics() -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}
    settings = Settings()
    assert targets == {
        "vigie-worker": [f"127.0.0.1:{settings.worker.health_port}"],
        "vigie-edge": [f"127.0.0.1:{settings.edge.metrics_port}"],
        "vigie-console": [f"127.0.0.1:{settings.console.metrics_port}"],
    }


def test_hurried_rules_are_the_same_but_for_the_wait() -> None:
    text = RULES_FILE.read_text(encoding="utf-8")
    changed = [(old, new) for old, new in zip(text.splitlines(), hurried(text).splitlines(), strict=True) if old != new]
    assert len(changed) == text.count("        for: ")
    assert all(old.lstrip().startswith("for: ") and new.endswith("for: 1s") for old, new in changed)


@pytest.mark.prometheus
def test_alertmanager_understands_its_configuration() -> None:
    done = told_by("amtool", "check-config", str(ALERTMANAGER))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.prometheus
@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"alertname": ALERT_NAME, "level": "alert", "severity": "Severe"}, "cell"),
        ({"alertname": ALERT_NAME, "level": "confirmed", "severity": "Extreme"}, "cell"),
        ({"alertname": ALERT_NAME, "level": "monitoring", "severity": "Unknown"}, "cell"),
        ({"alertname": ALERT_NAME, "level": "watch", "severity": "Unknown"}, "nobody"),
        *(
            (
                {"alertname": rule["alert"], **rule["labels"]},
                {"critical": "on-call", "warning": "operator", "info": "operator", "none": "heartbeat"}[
                    rule["labels"]["severity"]
                ],
            )
            for rule in RULES
        ),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else value,
)
def test_an_alert_goes_to_whom_it_concerns(labels: dict[str, str], receiver: str) -> None:
    pairs = [f"{name}={value}" for name, value in labels.items()]
    done = told_by("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", *pairs)
    assert (done.returncode, done.stdout.strip()) == (0, receiver), done.stderr


def test_an_incident_is_never_held_back_by_what_is_wrong_with_vigie() -> None:
    """A rule of inhibition holds back what has a part, or a name of a rule: what Vigie pushes has neither."""
    config = yaml.safe_load(ALERTMANAGER.read_text(encoding="utf-8"))
    for rule in config["inhibit_rules"]:
        first = re.fullmatch(r'(\w+) (=~?) "?([\w|]+)"?', rule["target_matchers"][0])
        assert first is not None
        named = set(first[3].split("|"))
        known = {one["labels"]["part"] for one in RULES} if first[1] == "part" else set(NAMES)
        assert first[1] in {"part", "alertname"}
        assert named <= known
        (source,) = rule["source_matchers"]
        assert source.removeprefix("alertname = ") in NAMES


def test_no_secret_stands_in_the_configuration() -> None:
    text = ALERTMANAGER.read_text(encoding="utf-8")
    assert not re.search(r"^\s*[^#\s].*(?:password|secret|token|credentials)\s*:", text, re.MULTILINE | re.IGNORECASE)
