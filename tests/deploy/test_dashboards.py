"""The dashboards: what is committed is what is drawn, fits Grafana's schema, is said twice; no metric is left out."""

import configparser
import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deploy.grafana.build import files
from tests.deploy.dashboard_schema import schema
from tests.deploy.drawn import FILES, FOLDER, LANGUAGES, ROOT, asked, load, metrics_of, panels
from vigie.metric_catalogue import catalogue

GRAFANA = ROOT / "deploy" / "grafana"
RULES = ROOT / "deploy" / "prometheus" / "rules" / "vigie.yml"
NAMES = ("vigie-detection", "vigie-pipeline", "vigie-privacy", "vigie-sources", "vigie-watch")
OTHERS = {"up", "ALERTS", "process_resident_memory_bytes", "process_cpu_seconds_total", "process_start_time_seconds"}
"""Of Prometheus itself, and of its library for Python."""
TEXTS = ("title", "description", "label", "noValue", "legendFormat", "text", "displayName", "displayMode")
STRICT = jsonschema.Draft202012Validator(schema())


def faults(dashboard: dict[str, Any]) -> list[str]:
    """Return what the schema has against a dashboard; where a field may be several things, what each of them has."""
    return [fault for error in STRICT.iter_errors(dashboard) for fault in _leaves(error)]


def _leaves(error: jsonschema.ValidationError) -> list[str]:
    if error.context:
        return [leaf for inner in error.context for leaf in _leaves(inner)]
    return [f"{list(error.absolute_path)}: {error.message}"]


def shape(value: Any) -> Any:
    """Return something of a dashboard without its words."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items() if name not in (*TEXTS, "options", "renameByName")}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return re.sub(r"-(fr|en)$", "", value) if isinstance(value, str) and value.startswith("vigie") else value


@pytest.fixture(params=FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    return load(request.param)


def test_what_is_committed_is_what_is_drawn() -> None:
    drawn = dict(files())
    assert sorted(drawn) == FILES
    stale = [str(path.relative_to(ROOT)) for path, text in drawn.items() if path.read_text(encoding="utf-8") != text]
    assert not stale, f"{', '.join(stale)}: run `python -m deploy.grafana.build`, and look at the difference"


def test_there_are_five_in_each_language() -> None:
    assert [(path.parent.name, path.stem) for path in FILES] == [
        (language, name) for language in sorted(LANGUAGES) for name in NAMES
    ]


def test_it_fits_the_strict_schema(dashboard: dict[str, Any]) -> None:
    assert faults(dashboard) == []


@pytest.mark.parametrize(
    ("where", "field"),
    [
        pytest.param((), "refrehs", id="of the dashboard"),
        pytest.param(("panels", 0), "descripton", id="of a panel"),
        pytest.param(("panels", 0, "targets", 0), "expresion", id="of a query"),
        pytest.param(("panels", 0, "fieldConfig", "defaults"), "unitt", id="of its fields"),
        pytest.param(("panels", 0, "gridPos"), "width", id="of its place"),
        pytest.param(("templating", "list", 0), "querry", id="of a variable"),
        pytest.param(("annotations", "list", 0), "expresion", id="of an annotation"),
    ],
)
def test_a_field_that_grafana_does_not_have_is_found(where: tuple[str | int, ...], field: str) -> None:
    wrong = deepcopy(load(FOLDER / "fr" / "vigie-watch.json"))
    inner: Any = wrong
    for step in where:
        inner = inner[step]
    inner[field] = "x"
    assert any(re.search(rf"Additional properties .*'{field}'", fault) for fault in faults(wrong))


def test_its_address_is_its_own_and_stays(dashboard: dict[str, Any]) -> None:
    assert len(dashboard["uid"]) <= 40
    assert dashboard["uid"] in {f"{name}-{language}" for name in NAMES for language in LANGUAGES}
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


def test_every_panel_says_what_it_is_for_whoever_looks(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        assert panel["title"], panel["id"]
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["description"][-1] == ".", panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


def test_data_come_from_where_the_reader_says(dashboard: dict[str, Any]) -> None:
    variables = [variable["name"] for variable in dashboard["templating"]["list"]]
    assert variables[0] == "datasource"
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels(dashboard):
        assert panel["datasource"] == chosen
        assert [target["datasource"] for target in panel["targets"]] == [chosen] * len(panel["targets"])
    assert [one["datasource"] for one in dashboard["annotations"]["list"]] == [chosen]
    used = set(re.findall(r"\$(\w+)", " ".join(one.expr for one in asked(_path(dashboard)))))
    assert {name for name in used if not name.startswith("__")} == set(variables) - {"datasource"}


def test_nothing_is_asked_of_another_host(dashboard: dict[str, Any]) -> None:
    assert not re.search(r"https?://|//[a-z]", _path(dashboard).read_text(encoding="utf-8"))


def test_its_panels_lie_beside_each_other(dashboard: dict[str, Any]) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken[x, y]}"
                taken[x, y] = panel["title"]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_same_in_both_languages_but_for_the_words(name: str) -> None:
    french, english = (load(FOLDER / language / f"{name}.json") for language in LANGUAGES)
    assert [panel["targets"][0]["expr"] for panel in panels(french)] == [
        panel["targets"][0]["expr"] for panel in panels(english)
    ]
    for one, other in zip(panels(french), panels(english), strict=True):
        assert one["description"] != other["description"], one["title"]
        assert one["gridPos"] == other["gridPos"]
    assert shape(french)["time"] == shape(english)["time"]


def test_no_alert_and_not_looking_do_not_look_alike() -> None:
    """On the wall a count of incidents says so when nobody listens, and what is empty says what that means."""
    wall = {panel["title"]: panel for panel in panels(load(FOLDER / "en" / "vigie-watch.json"))}
    for title in ("Open alerts", "Open watches"):
        defaults = wall[title]["fieldConfig"]["defaults"]
        assert "vector(-1)" in wall[title]["targets"][0]["expr"]
        assert defaults["mappings"][0]["options"]["-1"] == {"text": "NOT KNOWN", "color": "red", "index": 0}
        assert defaults["noValue"] == "NO DATA"
    assert wall["Open incidents"]["fieldConfig"]["defaults"]["noValue"] == "None, provided that Vigie listens"
    listening = wall["Is Vigie listening?"]["fieldConfig"]["defaults"]
    assert listening["mappings"][0]["options"]["0"]["text"] == "BLIND"
    assert listening["thresholds"]["steps"][0]["color"] == "red"


def shown() -> dict[str, set[str]]:
    """Return which metrics are asked for, and where: dashboards and rules."""
    found: dict[str, set[str]] = {}
    for path in FILES:
        for one in asked(path):
            for metric in metrics_of(one.expr):
                found.setdefault(metric, set()).add(one.where)
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            for metric in metrics_of(rule["expr"]):
                found.setdefault(metric, set()).add(rule["alert"])
    return found


def test_every_metric_has_a_panel_or_a_rule() -> None:
    unseen = sorted({one.name for one in catalogue()} - shown().keys())
    assert not unseen, f"{', '.join(unseen)}: draw a panel in deploy/grafana, or a rule in deploy/prometheus"


def test_every_metric_that_a_panel_or_rule_asks_for_is_one() -> None:
    unknown = {name: where for name, where in shown().items() if name not in {one.name for one in catalogue()} | OTHERS}
    assert unknown == {}


def test_grafana_finds_the_dashboards_and_prometheus() -> None:
    providers = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "vigie.yml").read_text(encoding="utf-8"))
    folders = {provider["options"]["path"].rpartition("/")[2] for provider in providers["providers"]}
    assert folders == set(LANGUAGES)
    assert all((FOLDER / folder).is_dir() for folder in folders)
    sources = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))
    (source,) = sources["datasources"]
    assert source["type"] == "prometheus"
    current = {load(path)["templating"]["list"][0]["current"]["value"] for path in FILES}
    assert current == {source["uid"]}


def test_grafana_asks_nobody_outside_but_for_the_ground_of_the_map() -> None:
    ini = configparser.RawConfigParser()
    ini.read(GRAFANA / "grafana.ini", encoding="utf-8")
    off = {("analytics", "reporting_enabled"), ("analytics", "check_for_updates"), ("news", "news_feed_enabled")}
    assert {ini[section][name] for section, name in off} == {"false"}
    assert ini["plugins"]["preinstall_disabled"] == "true"
    ground = json.loads(ini["geomap"]["default_baselayer_config"].strip("`"))
    assert ground["type"] == "xyz"
    assert all(part in ground["config"]["url"] for part in ("{z}", "{x}", "{y}", "GEOGRAPHICALGRIDSYSTEMS.PLANIGNV2"))
    assert ini["dashboards"]["default_home_dashboard_path"].endswith("/dashboards/fr/vigie-watch.json")
    maps = [panel for path in FILES for panel in panels(load(path)) if panel["type"] == "geomap"]
    assert {panel["options"]["basemap"]["type"] for panel in maps} == {"default"}


def _path(dashboard: dict[str, Any]) -> Path:
    name, _, language = str(dashboard["uid"]).rpartition("-")
    return FOLDER / language / f"{name}.json"
