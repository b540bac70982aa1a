"""The dashboards as files: generated from the code beside them, complete, explained, provisioned."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.files import generated
from tests.docker.boards import FILES, FOLDER, panels, read

BOARDS = [read(path) for path in FILES]
PANELS = [
    pytest.param(panel, id=f"{board['uid']}-{panel['id']}") for board in BOARDS for panel in panels(board)
]


def test_the_committed_files_are_what_the_code_generates() -> None:
    """If not: `make dashboards`."""
    assert {path.name: path.read_text("utf-8") for path in FILES} == generated()


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])
def test_grafanas_own_schema_reads_a_dashboard(board: dict[str, Any]) -> None:
    register_default_plugins()
    read_again = Dashboard.from_json(board)
    assert read_again.panels is not None
    assert len(read_again.panels) == len(board["panels"])
    for panel in panels(board):
        assert isinstance(panel["options"], dict), panel["title"]


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


def test_groups_are_shown_as_people_read_them() -> None:
    (board,) = (board for board in BOARDS if board["uid"] == "evenmatch-fairness")
    by_title = {panel["title"]: panel for panel in panels(board)}

    def legend(panel: dict[str, Any], name: str) -> str:
        for step in panel["transformations"]:
            if step["id"] == "renameByRegex":
                pattern = re.sub(r"\$(\d)", r"\\\1", step["options"]["renamePattern"])
                name = re.sub(step["options"]["regex"], pattern, name)
        return name

    rate = by_title["Selection rate"]
    assert legend(rate, "black_or_african_american") == "Black or African American"
    assert legend(rate, "female:asian") == "Female / Asian"
    assert legend(rate, "under_40") == "under_40"
    assert legend(rate, "female") == "Female"
    (column,) = (
        one["properties"][0]["value"][0]["options"]
        for one in by_title["Groups"]["fieldConfig"]["overrides"]
        if one["matcher"]["options"] == "group"
    )
    assert column["male"]["text"] == "Male"
    assert column["male:two_or_more_races"]["text"] == "Male / Two or more races"
