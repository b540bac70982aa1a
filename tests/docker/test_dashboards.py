"""The dashboards as files: generated from the code beside them, complete, explained, provisioned."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.files import generated
from tests.docker.boards import AWAITED, FILES, FOLDER, PanelQuery, panels, queries, read
from tests.prometheus import Exporter, Prometheus, line, running_prometheus

BOARDS = [read(path) for path in FILES]
PANELS = [
    pytest.param(panel, id=f"{board['uid']}-{panel['id']}") for board in BOARDS for panel in panels(board)
]


def test_the_committed_files_are_what_the_code_generates() -> None:
    """If not: `make dashboards`."""
    assert {path.name: path.read_text("utf-8") for path in FILES} == generated()


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_explains_itself(panel: dict[str, Any]) -> None:
    assert len(panel["description"]) >= 25
    assert panel["datasource"]["uid"] == "evenmatch-prometheus"
    for target in panel["targets"]:
        assert target["datasource"]["uid"] == "evenmatch-prometheus"
        assert target["expr"]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])
def test_panels_lie_side_by_side(board: dict[str, Any]) -> None:
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_what_the_fairness_dashboard_must_show_is_there() -> None:
    (board,) = (board for board in BOARDS if board["uid"] == "evenmatch-fairness")
    shown = " ".join(target["expr"] for panel in panels(board) for target in panel["targets"])
    for series in (
        "selection_rate_low",
        "selection_rate_high",
        "impact_ratio",
        "sample_size",
        "p_value",
        "flip_rate",
    ):
        assert f"evenmatch:{series}" in shown
    variables = {variable["name"] for variable in board["templating"]["list"]}
    assert {"attribute", "window", "group"} <= variables
    lines = {
        panel["title"]: [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        for panel in panels(board)
        if panel["type"] == "timeseries" and "thresholds" in panel["fieldConfig"]["defaults"]
    }
    assert lines["Impact ratio"] == [None, 0.8]
    assert lines["People"] == [None, 30]


def test_grafana_is_given_the_data_source_and_the_folder_of_the_dashboards() -> None:
    sources = yaml.safe_load((FOLDER / "provisioning/datasources/prometheus.yml").read_text("utf-8"))
    assert [(one["uid"], one["type"]) for one in sources["datasources"]] == [
        ("evenmatch-prometheus", "prometheus")
    ]
    providers = yaml.safe_load((FOLDER / "provisioning/dashboards/evenmatch.yml").read_text("utf-8"))
    (provider,) = providers["providers"]
    assert Path(provider["options"]["path"]).name == (FOLDER / "dashboards").name


WAITING = [query for query in queries() if query.waits_for]


def stand_in(step: int) -> str:
    """What a service would expose that has all of the awaited series; counters grow by the step."""
    text = ""
    for group, decision in product(("female", "male"), ("selected", "not_selected")):
        who = {"attribute": "sex", "group": group, "decision": decision}
        text += line("evenmatch_decisions_total", 40 * step, **who)
        for outcome in ("positive", "negative"):
            text += line("evenmatch_outcomes_total", 40 * step, **who, outcome=outcome)
    for group in ("female", "male"):
        text += line("evenmatch_fairness_impact_ratio", 1, attribute="sex", group=group, window="30d")
    for edge, share in (("0.5", 0.4), ("1.0", 1.0)):
        for group in ("female", "male"):
            text += line(
                "evenmatch_match_score_bucket", 80 * step * share, attribute="sex", group=group, le=edge
            )
        text += line("evenmatch_baseline_match_score_share", share, le=edge)
    for group in ("female", "male"):
        text += line("evenmatch_match_score_bucket", 80 * step, attribute="sex", group=group, le="+Inf")
    for measure in ("demographic_parity", "equalized_odds", "equal_opportunity", "predictive_parity"):
        text += line("evenmatch_baseline_parity_difference", 0.03, attribute="sex", measure=measure)
    for name in ("processes", "store_queue_depth", "spooled_decisions"):
        text += line(f"evenmatch_{name}", 1)
    for name in ("process_replacements", "stored_decisions", "store_failures"):
        text += line(f"evenmatch_{name}_total", step)
    text += line("evenmatch_shadow_audits_total", step, redact="true")
    return text + line("evenmatch_shadow_audits_dropped_total", step, reason="busy")


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    exporter = Exporter()
    exporter.text = stand_in(0)
    with (
        exporter.serving() as target,
        running_prometheus(tmp_path_factory.mktemp("stand-in"), target) as running,
    ):
        for step in (1, 2):
            exporter.wait_for_scrapes(2)
            exporter.text = stand_in(step)
        exporter.wait_for_scrapes(2)
        running.wait_for("evenmatch:parity_excess:7d")
        yield running


@pytest.mark.prometheus
def test_the_stand_in_has_every_awaited_series() -> None:
    assert {name for name in AWAITED if f"\n{name}{{" not in f"\n{stand_in(1)}"} == set()


@pytest.mark.prometheus
@pytest.mark.slow
@pytest.mark.parametrize("query", WAITING, ids=lambda query: query.name)
def test_panels_that_wait_for_the_service_show_data_once_it_has_their_series(
    query: PanelQuery, prometheus: Prometheus
) -> None:
    assert query.shows_data(prometheus)
