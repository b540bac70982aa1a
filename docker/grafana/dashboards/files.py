"""The dashboards as the files that Grafana reads."""

from __future__ import annotations

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.fairness import fairness
from dashboards.operations import operations

FOLDER = Path(__file__).resolve().parent


def generated() -> dict[str, str]:
    """Each file's name and text."""
    encoder = JSONEncoder(sort_keys=True, indent=2)
    boards = {"fairness.json": fairness(), "service.json": operations()}
    return {name: encoder.encode(board.build()) + "\n" for name, board in boards.items()}
