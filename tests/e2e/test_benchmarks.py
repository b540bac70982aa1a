"""`make bench` measures everything, whatever has changed in the service since it was last run."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def test_every_figure_is_measured() -> None:
    run = [sys.executable, "-m", "benchmarks", "--texts", "16", "--rounds", "1"]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures = dict(line.strip("| ").rsplit(" | ", 1) for line in done.stdout.splitlines() if " | " in line)
    assert "raw engine / plain torch" in figures
    assert "counted and recorded / neither" in figures
    assert float(figures["lowest cosine of the raw engine to plain torch"]) >= 0.9999
    assert float(figures["largest change of raw_score: another batch and order, as served"]) == 0.0
