"""The notebooks run from top to bottom, and are stored as they should be."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.e2e.conftest import CHECKOUT, Server

NOTEBOOKS = sorted((CHECKOUT / "docs" / "notebooks").glob("*.ipynb"))

_LINK = re.compile(r"\]\(([^)#\s]+)")


def test_all_six_are_there() -> None:
    assert [path.stem.partition("-")[2] for path in NOTEBOOKS] == [
        "exploration",
        "training",
        "fairness-evaluation",
        "inference-and-thresholds",
        "counterfactual-scoring",
        "publishing",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_outputs_are_stored_and_links_lead_somewhere(path: Path) -> None:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    nbformat.validate(content)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
            continue
        for link in _LINK.findall("".join(cell["source"])):
            assert (path.parent / link).exists(), link


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_to_its_end(path: Path, server: Server, data_dir: Path, tmp_path: Path) -> None:
    """`server` has converted the model by now."""
    notebook = nbformat.read(path, as_version=4)
    environment = {
        **os.environ,
        "EVENMATCH_DATA_DIR": str(data_dir),
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONWARNINGS": "error::UserWarning:evenmatch",
        "TMPDIR": str(tmp_path),
    }
    client = NotebookClient(
        notebook, timeout=None, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute(env=environment)  # raises with the traceback of a cell that fails
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert len(shown) >= 5
    assert [output for output in shown if output["output_type"] == "error"] == []
