"""Builds the dashboards: `python -m deploy.grafana.build` writes their files anew; then look at the difference."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from grafana_foundation_sdk.builders import dashboard, prometheus
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import table

from deploy.grafana import detection, pipeline, privacy, sources, watch
from deploy.grafana.drawing import SOURCE, Pen
from deploy.grafana.words import LANGUAGES, Language, Words

FOLDER = Path(__file__).with_name("dashboards")
DASHBOARDS: Sequence[ModuleType] = (watch, detection, sources, pipeline, privacy)
TAG = "vigie"
ALERTS = 'vigie_incident_active{level=~"alert|confirmed"}'


def main() -> None:
    """Write all dashboards."""
    for path, text in files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def files() -> Iterator[tuple[Path, str]]:
    """Yield what belongs into which file."""
    for room in DASHBOARDS:
        for language in LANGUAGES:
            drawn = _of_today(_drawn(room, language).build())
            text = json.dumps(drawn, cls=JSONEncoder, indent=2, ensure_ascii=False)
            yield FOLDER / language / f"{room.UID}.json", f"{text}\n"


def _of_today(drawn: model.Dashboard) -> model.Dashboard:
    """Leave out what the SDK still writes and Grafana 13 no longer knows: the foot of a table."""
    for panel in drawn.panels or ():
        if isinstance(panel, model.Panel) and isinstance(panel.options, table.Options):
            panel.options.footer = None
    return drawn


def _drawn(about: ModuleType, language: Language) -> dashboard.Dashboard:
    """Return one dashboard in one language."""
    pen = Pen(language)
    drawn = (
        dashboard.Dashboard(about.TITLE.of(language))
        .uid(f"{about.UID}-{language}")
        .description(about.ABOUT.of(language))
        .tags([TAG, f"{TAG}-{language}"])
        .timezone("browser")
        .time(about.SPAN, "now")
        .refresh(about.REFRESH)
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .variables(
            [
                _datasource(language),
                *(_labels(name, metric, words, language) for name, metric, words in getattr(about, "VARIABLES", ())),
            ]
        )
        .annotations([_incidents(language)])
        .links([_link(language, Words("Tableaux", "Dashboards")), _other(language)])
    )
    for panel in about.panels(pen):
        if isinstance(panel, dashboard.Row):
            drawn.with_row(panel)
        else:
            drawn.with_panel(panel)
    return drawn


def _datasource(language: Language) -> dashboard.DatasourceVariable:
    return (
        dashboard.DatasourceVariable("datasource")
        .label(Words("Prometheus", "Prometheus").of(language))
        .type("prometheus")
        .current(model.VariableOption(text="Prometheus", value="prometheus"))
    )


def _labels(name: str, metric: str, words: Words, language: Language) -> dashboard.QueryVariable:
    """Return a variable that takes the values of a metric's label of that name."""
    query = f"label_values({metric}, {name})"
    return (
        dashboard.QueryVariable(name)
        .label(words.of(language))
        .datasource(SOURCE)
        .query({"query": query, "refId": f"variable-{name}"})
        .definition(query)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)  # noqa: FBT003
        .include_all(True)  # noqa: FBT003
        .all_value(".*")
        .current(model.VariableOption(text="All", value="$__all"))
    )


def _incidents(language: Language) -> dashboard.AnnotationQuery:
    """Return the annotation: while an alert is open, its time is marked on every curve."""
    target: Any = prometheus.Dataquery().datasource(SOURCE).ref_id("incidents").expr(ALERTS).interval("60s")
    return (
        dashboard.AnnotationQuery()
        .name(Words("Alertes", "Alerts").of(language))
        .datasource(SOURCE)
        .enable(True)  # noqa: FBT003
        .icon_color("red")
        .expr(ALERTS)
        .target(target)
        .step("60s")
        .title_format("{{place}}")
        .text_format("")
        .tag_keys("hazard,level")
    )


def _link(language: Language, title: Words) -> dashboard.DashboardLink:
    """Return the links to all dashboards of a language, which Grafana finds by their tag."""
    return (
        dashboard.DashboardLink(title.of(language))
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([f"{TAG}-{language}"])
        .as_dropdown(False)  # noqa: FBT003
        .keep_time(True)  # noqa: FBT003
    )


def _other(language: Language) -> dashboard.DashboardLink:
    other: Language = "en" if language == "fr" else "fr"
    title = Words("en français", "in English").of(other)
    return _link(other, Words(title, title)).as_dropdown(True)  # noqa: FBT003


if __name__ == "__main__":
    main()
