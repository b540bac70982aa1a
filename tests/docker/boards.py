"""The committed dashboards' queries, with their variables filled in."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.patience import PATIENCE
from tests.support.prometheus import Prometheus

FOLDER = Path(__file__).resolve().parents[2] / "docker" / "grafana"
FILES = sorted((FOLDER / "dashboards").glob("*.json"))
WINDOWS = ("1h", "24h", "7d")
VARIABLES = {
    "attribute": "sex",
    "intersection": "sex_race_ethnicity",
    "__rate_interval": "5m",
}


@dataclass(frozen=True)
class PanelQuery:
    """One query of one panel, as Grafana would send it."""

    board: str
    panel: str
    expression: str
    instant: bool

    @property
    def name(self) -> str:
        return f"{self.board}/{self.panel}: {self.expression}"

    def shows_data(self, prometheus: Prometheus, seconds: float = PATIENCE) -> bool:
        """Whether finite values come back, now or soon: gauges of the service are refreshed now and then."""
        deadline = time.monotonic() + seconds
        while not self.answer(prometheus):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.5)
        return True

    def answer(self, prometheus: Prometheus) -> list[float]:
        """The finite values that come back. A query that Prometheus refuses fails the test."""
        if self.instant:
            found = [sample["value"][1] for sample in prometheus.query(self.expression)]
        else:
            found = [
                value for series in prometheus.query_range(self.expression) for _, value in series["values"]
            ]
        return [number for number in map(float, found) if math.isfinite(number)]


def read(path: Path) -> dict[str, Any]:
    board: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return board


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    """All panels but the rows."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries() -> list[PanelQuery]:
    """Every query of every panel, in every window where the window is a variable."""
    found = []
    for path in FILES:
        for panel in panels(read(path)):
            for target in panel["targets"]:
                for expression in filled(target["expr"]):
                    found.append(
                        PanelQuery(path.stem, panel["title"], expression, bool(target.get("instant")))
                    )
    return found


def filled(expression: str) -> Iterable[str]:
    """The expression with its variables' values. All groups, or one where a row is repeated for each."""
    text = expression.replace('group=~"$group"', 'group=~".+"').replace('group="$group"', 'group="female"')
    for name, value in VARIABLES.items():
        text = text.replace(f"${name}", value)
    windows = WINDOWS if "$window" in text else ("",)
    return [text.replace("$window", window) for window in windows]
