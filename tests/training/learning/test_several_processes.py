"""Two processes that train one model, on this machine's CPU, as two GPUs would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("several_processes.py")

Seen = dict[str, dict[str, Any]]


def launch(mode: str, folder: Path) -> subprocess.CompletedProcess[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.run(
        [*launcher, str(SCRIPT), mode, str(folder)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    """What each of the two saw: of a whole training, and of one that was broken off and gone on with."""
    folder = tmp_path_factory.mktemp("several")
    done = launch("train", folder)
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"seen-{rank}.json").read_text("utf-8")) for rank in (0, 1)]


@pytest.mark.slow
def test_each_has_its_own_batches_and_together_they_pass_over_every_item(seen: list[Seen]) -> None:
    first, second = (of["whole"]["batches"] for of in seen)
    assert len(first) == len(second) == 8
    for epoch in (slice(0, 4), slice(4, 8)):
        items = [tuple(item) for of in (first, second) for batch in of[epoch] for item in batch]
        jobs = [job for job, *_ in items]
        assert len(items) == 24
        # Two matches and two others make two items of each job: every one of them once.
        assert sorted(jobs) == sorted([*range(12), *range(12)])
        resumes = [{r for j, *of in items if j == job for r in of} for job in range(12)]
        assert all(len(of_job) >= 4 for of_job in resumes)
    assert all(one != other for one, other in zip(first, second, strict=True))


@pytest.mark.slow
def test_what_they_train_on_is_the_same_where_it_must_be(seen: list[Seen]) -> None:
    first, second = (of["whole"] for of in seen)
    for shared in ("weights", "history", "mined", "steps"):
        assert first[shared] == second[shared], shared
    assert len(first["mined"]) == 4  # at the begin of two epochs of four steps, and after two steps
    assert any(first["mined"][0].values())
    assert set(first["dropout_seeds"]) != set(second["dropout_seeds"])


@pytest.mark.slow
def test_a_training_of_several_goes_on_to_the_same_result(seen: list[Seen]) -> None:
    for of in seen:
        assert of["broken_off"]
        assert of["resumed"]["batches"] == of["whole"]["batches"][4:]
        for same in ("weights", "history", "steps"):
            assert of["resumed"][same] == of["whole"][same], same


@pytest.mark.slow
def test_what_the_first_cannot_validate_ends_all_with_the_same_error(tmp_path: Path) -> None:
    assert launch("invalid", tmp_path).returncode != 0
    for rank in (0, 1):
        told = json.loads((tmp_path / f"seen-{rank}.json").read_text("utf-8"))
        assert told == {"error": "scores are not finite after an epoch"}


@pytest.mark.slow
def test_the_death_of_one_ends_the_others(tmp_path: Path) -> None:
    """Without the launcher's signal process 0 would wait for a day."""
    assert launch("die", tmp_path).returncode != 0
    assert not (tmp_path / "seen-1.json").exists()
    assert not list((tmp_path / "run").glob("checkpoint-*"))
