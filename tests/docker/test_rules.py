"""The rules as text: valid, alike in every window, each alert with a chapter in the runbooks."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docker.promtool import ALERTS
from tests.support.patience import PATIENCE
from tests.support.prometheus import FOLDER, RULES, groups_of

RUNBOOKS = FOLDER.parent.parent / "docs" / "runbooks.md"
NAMES = sorted({rule["alert"] for rule in ALERTS})


@pytest.mark.prometheus
def test_promtool_finds_no_fault_in_configuration_and_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "config", "--lint-fatal", str(FOLDER / "prometheus.yml")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(RULES)} rule files found" in done.stdout


def test_every_window_has_the_same_rules() -> None:
    windows = {
        group["name"].rpartition("-")[2]: str(group["rules"])
        for group in groups_of(FOLDER / "rules/selection.yml")
    }
    assert set(windows) == {"1h", "24h", "7d"}
    for window in ("1h", "7d"):
        assert windows[window].replace(window, "24h") == windows["24h"]


def test_results_do_not_go_stale_between_evaluations() -> None:
    """Prometheus looks back five minutes for a series' last sample."""
    intervals = {group.get("interval", "1m") for path in RULES for group in groups_of(path)}
    assert intervals <= {"30s", "1m", "2m"}


def test_every_alert_has_all_that_whoever_is_called_needs() -> None:
    assert len(NAMES) >= 15
    for rule in ALERTS:
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}, rule["alert"]
        assert rule["labels"]["team"] in {"fairness", "service"}, rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}, rule["alert"]


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_has_a_chapter_in_the_runbooks(name: str) -> None:
    text = RUNBOOKS.read_text("utf-8")
    assert {rule["annotations"]["runbook_url"] for rule in ALERTS if rule["alert"] == name} == {
        f"docs/runbooks.md#{name.lower()}"
    }
    chapter = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert chapter, f"{RUNBOOKS.name} has no chapter {name}"
    for part in ("means", "does not mean", "Look", "Do", "Who decides"):
        assert f"**{part}" in chapter[1] or f"{part}**" in chapter[1], f"{name}: {part}"


def test_the_runbooks_have_no_chapter_of_an_alert_that_is_gone() -> None:
    chapters = re.findall(r"^## (Evenmatch\w+)$", RUNBOOKS.read_text("utf-8"), re.MULTILINE)
    assert sorted(chapters) == NAMES


@pytest.mark.prometheus
def test_a_broken_rule_is_found(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "copy")
    path = tmp_path / "copy/rules/alerts.yml"
    path.write_text(
        path.read_text("utf-8").replace("histogram_quantile", "quantile").replace("0.8 -", "0.8 -- )"),
        "utf-8",
    )
    done = subprocess.run(
        ["promtool", "check", "config", str(tmp_path / "copy/prometheus.yml")], capture_output=True
    )
    assert done.returncode != 0
