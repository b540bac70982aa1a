"""Panels of one look: every one says in its description what it shows and what it cannot say.

Groups stand there as people read them ("Black or African American"), by the table that reports use
(`service/core/group_titles.py`); queries and labels of series keep the ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import (
    barchart,
    common,
    dashboard,
    heatmap,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    GraphTresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Panel,
    Threshold,
    ThresholdsMode,
    VariableModel,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from service.core.group_titles import ATTRIBUTE_TITLES, BETWEEN, GROUP_TITLES
from service.core.groups import RACE_ETHNICITY, SEX

SOURCE = DataSourceRef(type_val="prometheus", uid="evenmatch-prometheus")
"""Provisioned under this uid."""
HEIGHT = 8


@dataclass(frozen=True)
class Query:
    """PromQL and how its series are named; in tables, the name of its column."""

    expression: str
    name: str = ""


_TITLES = {**GROUP_TITLES, **ATTRIBUTE_TITLES}


def _renamed() -> list[DataTransformerConfig]:
    """The names of series and columns with titles for the ids in them. Other names stay as they are."""
    renames = [
        (f"^(|.*[^a-z0-9_]){group}(|[^a-z0-9_].*)$", f"$1{title}$2") for group, title in _TITLES.items()
    ]
    renames.append(("^([A-Z][^:]*):([A-Z].*)$", f"$1{BETWEEN}$2"))  # both groups of an intersection
    return [
        DataTransformerConfig(id_val="renameByRegex", options={"regex": regex, "renamePattern": pattern})
        for regex, pattern in renames
    ]


def _in_words() -> DynamicConfigValue:
    """Titles for the ids that a column of groups or attributes holds."""
    crossed = {
        f"{a}:{b}": f"{GROUP_TITLES[a]}{BETWEEN}{GROUP_TITLES[b]}" for a in SEX for b in RACE_ETHNICITY
    }
    texts = {**_TITLES, **crossed}
    options = {value: {"index": i, "text": text} for i, (value, text) in enumerate(texts.items())}
    return DynamicConfigValue(id_val="mappings", value=[{"type": "value", "options": options}])


Row = tuple[dashboard.Row, list[Builder[Panel]]]
"""A row's heading and its panels."""


def line(value: float) -> dashboard.ThresholdsConfig:
    """A red line below which values are marked."""
    steps = [Threshold(color="red"), Threshold(color="green", value=value)]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def above(value: float) -> dashboard.ThresholdsConfig:
    """A line above which values are red."""
    steps = [Threshold(color="green"), Threshold(color="red", value=value)]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def lines(
    title: str,
    description: str,
    *queries: Query,
    unit: str = "short",
    width: int = 12,
    mark: dashboard.ThresholdsConfig | None = None,
    top: float | None = None,
) -> timeseries.Panel:
    """Series over time; `mark` draws a dashed line."""
    legend = common.VizLegendOptions().show_legend(True)
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .span(width)
        .height(HEIGHT)
        .line_width(1)
        .fill_opacity(0)
        .show_points(VisibilityMode.NEVER)
        .legend(legend.display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )
    if top is not None:
        panel = panel.max(top)
    if mark is not None:
        dashed = common.GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.DASHED)
        panel = panel.thresholds(mark).thresholds_style(dashed)
    for i, query in enumerate(queries):
        panel = panel.with_target(_target(query, i).range().legend_format(query.name))
    if any("{{group}}" in query.name for query in queries):
        for transformation in _renamed():
            panel = panel.with_transformation(transformation)
    return panel


def number(
    title: str,
    description: str,
    query: Query,
    *,
    unit: str = "short",
    width: int = 6,
    mark: dashboard.ThresholdsConfig | None = None,
) -> stat.Panel:
    """One number, now."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .span(width)
        .height(4)
        .color_mode(BigValueColorMode.VALUE if mark else BigValueColorMode.NONE)
        .with_target(_target(query, 0).instant().legend_format(query.name))
    )
    return panel.thresholds(mark) if mark else panel


def rows(
    title: str,
    description: str,
    *queries: Query,
    join: str = "",
    units: dict[str, str] | None = None,
    width: int = 24,
) -> table.Panel:
    """A table. Several queries are joined on the label `join`; each gives a column of its name."""
    panel = table.Panel().title(title).description(description).datasource(SOURCE).span(width)
    panel = panel.height(HEIGHT).show_header(True)  # without any option of a table the JSON would hold a null
    for i, query in enumerate(queries):
        panel = panel.with_target(_table_target(query, i))
    times, values = {"Time": True}, {"Value": queries[0].name}
    if join:
        # The names that Grafana gives to the columns of joined tables.
        times = {f"Time {i + 1}": True for i in range(len(queries))}
        values = {f"Value #{_ref(i)}": query.name for i, query in enumerate(queries)}
        options: dict[str, object] = {"byField": join, "mode": "outer"}
        panel = panel.with_transformation(DataTransformerConfig(id_val="joinByField", options=options))
    panel = panel.with_transformation(
        DataTransformerConfig(id_val="organize", options={"excludeByName": times, "renameByName": values})
    )
    if any("(group)" in query.expression or " group," in query.expression for query in queries):
        for name in ("group", "attribute"):
            panel = panel.override_by_name(name, [_in_words()])
    for name, unit in (units or {}).items():
        decimals = DynamicConfigValue(id_val="decimals", value=3 if unit == "short" else 1)
        panel = panel.override_by_name(name, [DynamicConfigValue(id_val="unit", value=unit), decimals])
    return panel


def matrix(
    title: str,
    description: str,
    query: Query,
    *,
    row: str,
    column: str,
    unit: str,
    mark: dashboard.ThresholdsConfig,
) -> table.Panel:
    """A table of one label against another, its cells coloured."""
    cells = [DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-background"})]
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .span(12)
        .height(HEIGHT + 2)
        .unit(unit)
        .decimals(2 if unit == "short" else 0)
        .thresholds(mark)
        .show_header(True)
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .with_target(_table_target(query, 0))
        .with_transformation(
            DataTransformerConfig(
                id_val="groupingToMatrix",
                options={"rowField": row, "columnField": column, "valueField": "Value", "emptyValue": "null"},
            )
        )
        .override_by_field_type("number", cells)
        .override_by_name(f"{row}\\{column}", [_in_words()])
    )
    for transformation in _renamed():
        panel = panel.with_transformation(transformation)
    return panel


def bars(
    title: str, description: str, query: Query, *, row: str, column: str, unit: str, width: int = 12
) -> barchart.Panel:
    """Bars of one label's values, for each value of another."""
    panel = (
        barchart.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .span(width)
        .height(HEIGHT)
        .unit(unit)
        .min(0)
        .with_target(_table_target(query, 0))
        .with_transformation(
            DataTransformerConfig(id_val="sortBy", options={"fields": {}, "sort": [{"field": row}]})
        )
        .with_transformation(
            DataTransformerConfig(
                id_val="groupingToMatrix",
                options={"rowField": row, "columnField": column, "valueField": "Value", "emptyValue": "null"},
            )
        )
        .x_field(f"{row}\\{column}")
    )
    for transformation in _renamed():
        panel = panel.with_transformation(transformation)
    return panel


def density(title: str, description: str, query: Query, *, width: int = 12) -> heatmap.Panel:
    """A histogram over time."""
    return (
        heatmap.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .span(width)
        .height(HEIGHT)
        .calculate(False)
        .with_target(_target(query, 0).range().format(PromQueryFormat.HEATMAP).legend_format("{{le}}"))
    )


def board(
    uid: str, title: str, description: str, rows: Sequence[Row], *variables: Builder[VariableModel]
) -> dashboard.Dashboard:
    """A dashboard of rows of panels, which get their numbers here."""
    built = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["evenmatch"])
        .readonly()
        .timezone("utc")
        .time("now-24h", "now")
        .refresh("1m")
    )
    for variable in variables:
        built = built.with_variable(variable)
    identity = 0
    for row, panels in rows:
        identity += 1
        built = built.with_row(row.id(identity))
        for panel in panels:
            identity += 1
            built = built.with_panel(panel.id(identity))  # type: ignore[attr-defined]  # every builder of panels has it
    return built


def _ref(i: int) -> str:
    return chr(ord("A") + i)


def _target(query: Query, i: int) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query.expression).ref_id(_ref(i)).datasource(SOURCE)


def _table_target(query: Query, i: int) -> prometheus.Dataquery:
    return _target(query, i).instant().format(PromQueryFormat.TABLE)
