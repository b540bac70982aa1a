"""Two processes that train one model, on this machine's CPU, as two GPUs would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.support.training_world import world_of
from tests.training.learning.several_processes import repeatable, seen_of
from training.learning.trainer import WEIGHTS

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
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes wrote."""
    folder = tmp_path_factory.mktemp("several")
    done = launch("train", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def seen(folder: Path) -> list[Seen]:
    """What each of the two saw: of a whole training, of one that was broken off and gone on with, ..."""
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
def test_one_that_adds_up_two_batches_comes_to_the_same_adapter(
    folder: Path, seen: list[Seen], tmp_path: Path
) -> None:
    one = repeatable(world_of(tmp_path / "world"), tmp_path / "one", accumulation=2)
    alone = json.loads(json.dumps(seen_of(one)))
    first, second = (of["without_dropout"] for of in seen)
    dealt = [batch for both in zip(first["batches"], second["batches"], strict=True) for batch in both]
    for same in (alone["batches"] == dealt, alone["mined"] == first["mined"]):
        assert same
    assert alone["steps"] == first["steps"] == 8
    (of_one,) = (tmp_path / "one").glob(f"checkpoint-8/{WEIGHTS}")
    (of_two,) = (folder / "without-dropout").glob(f"checkpoint-8/{WEIGHTS}")
    mine, theirs = load_file(of_one), load_file(of_two)
    assert mine.keys() == theirs.keys()
    moved = {name for name in mine if "lora_B" in name and mine[name].abs().max() > 1e-3}
    assert moved, "LoRA's B begins at 0: something was learned"
    for name in mine:
        torch.testing.assert_close(mine[name], theirs[name], rtol=1e-4, atol=1e-6)
    for row, other in zip(alone["history"], first["history"], strict=True):
        assert row == pytest.approx(other, rel=1e-4, abs=1e-6)


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
