"""What can be chosen on the fairness dashboard, and the label filters made of it."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from dashboards import panels as p

HERE = '{attribute="$attribute"}'
KNOWN = '{attribute="$attribute", group!="unknown"}'
CHOSEN = '{attribute="$attribute", group=~"$group"}'
ONE = '{attribute="$attribute", group="$group"}'


def variables() -> list[Builder[VariableModel]]:
    """In the order in which they are shown."""
    return [
        _labels("attribute", "attribute", "label_values(evenmatch_decisions_total, attribute)"),
        dashboard.CustomVariable("window")
        .label("window")
        .values("1h,24h,7d")
        .current(VariableOption(text="24h", value="24h", selected=True)),
        _labels("group", "groups", 'label_values(evenmatch_decisions_total{attribute="$attribute"}, group)')
        .multi(True)
        .include_all(True),
        _labels(
            "intersection",
            "intersection",
            'label_values(evenmatch_decisions_total{group=~".+:.+"}, attribute)',
        ),
    ]


def _labels(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .query(query)
        .datasource(p.SOURCE)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )
