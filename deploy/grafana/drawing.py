"""Drawing: the few kinds of panels that our dashboards are made of, in one language.

A panel is never without a title, a description for whoever looks at it, a unit, and its data source by variable.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    geomap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import geomap as maps
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.grafana.words import COLOURS, Language, Names, Words

SOURCE = kinds.DataSourceRef(type_val="prometheus", uid="${datasource}")
GREEN, ORANGE, RED, GREY = "green", "orange", "red", "#8e8e8e"
PanelBuilder = Builder[model.Panel]
Steps = Sequence[tuple[float | None, str]]
"""Colours, each from a value on; None: from below."""
FINE: Steps = ((None, GREEN),)
ZERO_IS_FINE: Steps = ((None, GREEN), (1, RED))


class Query(NamedTuple):
    """A question to Prometheus, and what its answers are called; `legend` may name labels: `{{hazard}}`."""

    expr: str
    legend: str | Words = ""


class Value(NamedTuple):
    """What a number means, and in which colour."""

    words: Words
    colour: str


class Column(NamedTuple):
    """A column of a table: the label or `Value`, its head, and what its values are called."""

    field: str
    head: Words
    values: Mapping[str, Value] | None = None
    unit: str = ""


class Pen:
    """Draws panels in one language; what is said of all panels is said here once."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._last_id = 0

    def row(self, title: Words) -> dashboard.Row:
        """Return a heading over the panels that follow."""
        return dashboard.Row(title.of(self.language)).id(self._next_id())

    def stat(
        self,
        title: Words,
        about: Words,
        queries: Sequence[Query],
        *,
        unit: str = "short",
        steps: Steps = FINE,
        values: Mapping[str, Value] | None = None,
        names: Names | None = None,
        missing: Words | None = None,
        size: tuple[int, int] = (6, 4),
        big: bool = False,
        decimals: int | None = None,
    ) -> PanelBuilder:
        """Return figures of this moment, on the colour of what they mean."""
        panel = (
            self._framed(stat.Panel(), title, about, size)
            .unit(unit)
            .thresholds(_thresholds(steps))
            .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
            .color_mode(kinds.BigValueColorMode.BACKGROUND_SOLID)
            .graph_mode(kinds.BigValueGraphMode.NONE)
            .justify_mode(kinds.BigValueJustifyMode.CENTER)
            .text_mode(kinds.BigValueTextMode.AUTO)
            .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))  # noqa: FBT003
            .targets([self._target(query, number, is_instant=True) for number, query in enumerate(queries)])
        )
        if big:
            panel.text(common.VizTextDisplayOptions().value_size(64).title_size(28))
        if decimals is not None:
            panel.decimals(decimals)
        return self._told(panel, values=values, names=names, missing=missing)

    def lines(
        self,
        title: Words,
        about: Words,
        queries: Sequence[Query],
        *,
        unit: str = "short",
        names: Names | None = None,
        steps: Steps | None = None,
        size: tuple[int, int] = (12, 8),
        stacked: bool = False,
        least: float | None = 0,
    ) -> PanelBuilder:
        """Return curves over time; with `steps`, limits that should not be crossed are drawn as well."""
        panel = (
            self._framed(timeseries.Panel(), title, about, size)
            .unit(unit)
            .line_width(2)
            .fill_opacity(40 if stacked else 8)
            .show_points(kinds.VisibilityMode.NEVER)
            .legend(
                common.VizLegendOptions()
                .display_mode(kinds.LegendDisplayMode.LIST)
                .placement(kinds.LegendPlacement.BOTTOM)
                .show_legend(True)  # noqa: FBT003
            )
            .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING))
            .targets([self._target(query, number) for number, query in enumerate(queries)])
        )
        if least is not None:
            panel.min(least)
        if stacked:
            panel.stacking(common.StackingConfig().mode(kinds.StackingMode.NORMAL).group("A"))
        if steps is not None:
            panel.thresholds(_thresholds(steps))
            panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(kinds.GraphThresholdsStyleMode.DASHED))
        return self._told(panel, names=names)

    def bars(
        self,
        title: Words,
        about: Words,
        queries: Sequence[Query],
        *,
        unit: str = "short",
        names: Names | None = None,
        steps: Steps = FINE,
        size: tuple[int, int] = (12, 8),
    ) -> PanelBuilder:
        """Return one bar for each answer, as it is now."""
        panel = (
            self._framed(bargauge.Panel(), title, about, size)
            .unit(unit)
            .min(0)
            .thresholds(_thresholds(steps))
            .orientation(kinds.VizOrientation.HORIZONTAL)
            .display_mode(kinds.BarGaugeDisplayMode.BASIC)
            .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))  # noqa: FBT003
            .targets([self._target(query, number, is_instant=True) for number, query in enumerate(queries)])
        )
        return self._told(panel, names=names)

    def timeline(
        self,
        title: Words,
        about: Words,
        queries: Sequence[Query],
        *,
        values: Mapping[str, Value],
        names: Names | None = None,
        starts: Names | None = None,
        missing: Words | None = None,
        size: tuple[int, int] = (24, 7),
    ) -> PanelBuilder:
        """Return a strip for each answer, in the colour and words of what it was when; `starts`: how names begin."""
        panel = (
            self._framed(statetimeline.Panel(), title, about, size)
            .unit("short")
            .merge_values(True)  # noqa: FBT003
            .show_value(kinds.VisibilityMode.AUTO)
            .row_height(0.85)
            .fill_opacity(85)
            .legend(common.VizLegendOptions().show_legend(False))  # noqa: FBT003
            .targets([self._target(query, number) for number, query in enumerate(queries)])
        )
        for name, words in (starts or {}).items():
            options = {"regex": f"^{name} (.*)$", "renamePattern": f"{words.of(self.language)}, $1"}
            panel.with_transformation(model.DataTransformerConfig(id_val="renameByRegex", options=options))
        return self._told(panel, values=values, names=names, missing=missing)

    def table(
        self,
        title: Words,
        about: Words,
        query: Query,
        columns: Sequence[Column],
        *,
        apart: str = "",
        size: tuple[int, int] = (12, 8),
        big: bool = False,
        missing: Words | None = None,
    ) -> PanelBuilder:
        """Return the answers as rows, the greatest first, with these columns and no others.

        `apart` is a label that tells rows apart and is not shown.
        """
        labels = [column.field for column in columns if column.field != "Value"]
        query = Query(f"max by ({', '.join([*labels, apart] if apart else labels)}) ({query.expr})")
        panel = (
            self._framed(table.Panel(), title, about, size)
            .unit("short")
            .cell_height(kinds.TableCellHeight.LG if big else kinds.TableCellHeight.SM)
            .filterable(False)  # noqa: FBT003
            .targets([self._target(query, 0, is_instant=True, is_table=True)])
            .with_transformation(self._organised(columns, apart))
        )
        if any(column.field == "Value" for column in columns):
            head = next(column.head for column in columns if column.field == "Value").of(self.language)
            panel.sort_by([common.TableSortByFieldState().display_name(head).desc(True)])  # noqa: FBT003
        for column in columns:
            properties = self._cell(column)
            if properties:
                panel.override_by_name(column.head.of(self.language), properties)
        return self._told(panel, missing=missing)

    def map(
        self, title: Words, about: Words, incidents: Query, home: Query, *, steps: Steps, size: tuple[int, int]
    ) -> PanelBuilder:
        """Return a map of the incidents around the home commune."""
        panel = (
            self._framed(geomap.Panel(), title, about, size)
            .unit("short")
            .thresholds(_thresholds(steps))
            .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
            .targets(
                [
                    self._target(incidents, 0, is_instant=True, is_table=True),
                    self._target(home, 1, is_instant=True, is_table=True),
                ]
            )
            .view(geomap.MapViewConfig().id("fit").all_layers(True).padding(20).max_zoom(14).zoom(13))  # noqa: FBT003
            .controls(
                geomap.ControlsOptions()
                .show_zoom(True)  # noqa: FBT003
                .mouse_wheel_zoom(False)  # noqa: FBT003
                .show_attribution(True)  # noqa: FBT003
                .show_scale(True)  # noqa: FBT003
            )
            .basemap(common.MapLayerOptions().type("default").name("base").config({}))
            .layers(
                [
                    _markers("home", "B", symbol="img/icons/marker/cross.svg", colour=GREY, size=8),
                    _markers("incidents", "A", symbol="img/icons/marker/circle.svg", colour="Value", size=16),
                ]
            )
            .tooltip(geomap.TooltipOptions().mode(maps.TooltipMode.DETAILS))
        )
        return self._told(panel)

    def text(self, words: Words) -> str:
        """Return a text in the pen's language."""
        return words.of(self.language)

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _framed(self, panel: Any, title: Words, about: Words, size: tuple[int, int]) -> Any:
        width, height = size
        return (
            panel.id(self._next_id())
            .title(title.of(self.language))
            .description(about.of(self.language))
            .datasource(SOURCE)
            .span(width)
            .height(height)
        )

    def _target(
        self, query: Query, number: int, *, is_instant: bool = False, is_table: bool = False
    ) -> prometheus.Dataquery:
        legend = query.legend.of(self.language) if isinstance(query.legend, Words) else query.legend
        target = (
            prometheus.Dataquery()
            .datasource(SOURCE)
            .ref_id(chr(ord("A") + number))
            .expr(query.expr)
            .legend_format(legend or "__auto")
        )
        target = target.instant() if is_instant else target.range()
        if is_table:
            target = target.format(PromQueryFormat.TABLE)
        return target

    def _told(
        self,
        panel: Any,
        *,
        values: Mapping[str, Value] | None = None,
        names: Names | None = None,
        missing: Words | None = None,
    ) -> PanelBuilder:
        """Say what numbers and answers are called, and what stands there where there are none."""
        if values:
            panel.mappings([self._mapping(values)])
        if missing is not None:
            panel.no_value(missing.of(self.language))
        for name, words in (names or {}).items():
            properties = [model.DynamicConfigValue(id_val="displayName", value=words.of(self.language))]
            if name in COLOURS:
                colour = {"mode": "fixed", "fixedColor": COLOURS[name]}
                properties.append(model.DynamicConfigValue(id_val="color", value=colour))
            panel.override_by_name(name, properties)
        drawn: PanelBuilder = panel
        return drawn

    def _mapping(self, values: Mapping[str, Value]) -> model.ValueMap:
        results = {
            value: model.ValueMappingResult(text=meaning.words.of(self.language), color=meaning.colour, index=place)
            for place, (value, meaning) in enumerate(values.items())
        }
        return model.ValueMap(options=results)

    def _organised(self, columns: Sequence[Column], apart: str) -> model.DataTransformerConfig:
        """Return the transformation that leaves these columns, in this order, under these heads."""
        names = [column.field for column in columns]
        others = [name for name in ("Time", "Value", apart) if name and name not in names]
        options = {
            "excludeByName": dict.fromkeys(others, True),
            "indexByName": {name: place for place, name in enumerate(names)},
            "renameByName": {column.field: column.head.of(self.language) for column in columns},
        }
        return model.DataTransformerConfig(id_val="organize", options=options)

    def _cell(self, column: Column) -> list[model.DynamicConfigValue]:
        properties = []
        if column.unit:
            properties.append(model.DynamicConfigValue(id_val="unit", value=column.unit))
        if column.values:
            properties.append(model.DynamicConfigValue(id_val="mappings", value=[self._mapping(column.values)]))
        if column.values and column.field == "Value":
            background = kinds.TableColoredBackgroundCellOptions(mode=kinds.TableCellBackgroundDisplayMode.BASIC)
            properties.append(model.DynamicConfigValue(id_val="custom.cellOptions", value=background))
        return properties


def _thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    found = [model.Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(found)


def _markers(name: str, query: str, *, symbol: str, colour: str, size: int) -> common.MapLayerOptions:
    """Return a layer of markers at the geohashes of one query's answers; colour: fixed, or by the field `Value`."""
    painted = {"field": f"Value #{query}", "fixed": GREY} if colour == "Value" else {"fixed": colour}
    style: dict[str, object] = {
        "color": painted,
        "opacity": 0.8,
        "size": {"fixed": size, "min": 8, "max": 24},
        "symbol": {"fixed": symbol, "mode": "fixed"},
    }
    if colour == "Value":  # an incident has its place written over it
        style["text"] = {"field": "place", "fixed": "", "mode": "field"}
        style["textConfig"] = {"fontSize": 16, "offsetX": 0, "offsetY": -20, "textAlign": "center"}
    return (
        common.MapLayerOptions()
        .type("markers")
        .name(name)
        .config({"showLegend": False, "style": style})
        .location(common.FrameGeometrySource().mode(kinds.FrameGeometrySourceMode.GEOHASH).geohash("geohash"))
        .filter_data({"id": "byRefId", "options": query})
        .tooltip(True)  # noqa: FBT003
    )
