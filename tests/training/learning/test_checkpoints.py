from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from training.learning.checkpoints import CONFIG, RECORD, ResumeError, begin, last_checkpoint, step_of

RECORDED: dict[str, Any] = {"seed": 1, "trainer": {"epochs": 3}}


def add_checkpoint(work: Path, step: int, state: str | None = "{}") -> Path:
    folder = work / f"checkpoint-{step}"
    folder.mkdir()
    (folder / "trained.safetensors").write_bytes(b"x")
    if state is not None:
        (folder / "trainer_state.json").write_text(state)
    return folder


def test_the_last_checkpoint_is_the_one_of_most_steps(tmp_path: Path) -> None:
    begin(tmp_path, RECORDED, "{}")
    assert last_checkpoint(tmp_path, RECORDED) is None
    for step in (100, 20):
        add_checkpoint(tmp_path, step)
    found = last_checkpoint(tmp_path, RECORDED)
    assert found == tmp_path / "checkpoint-100"
    assert step_of(found) == 100


@pytest.mark.parametrize("state", [None, "", '{"epoch": 1'])
def test_a_half_written_checkpoint_is_passed_over(tmp_path: Path, state: str | None) -> None:
    begin(tmp_path, RECORDED, "{}")
    whole = add_checkpoint(tmp_path, 20)
    add_checkpoint(tmp_path, 30, state)
    assert last_checkpoint(tmp_path, RECORDED) == whole


def test_another_runs_checkpoints_are_refused_and_the_difference_named(tmp_path: Path) -> None:
    begin(tmp_path, RECORDED, "{}")
    add_checkpoint(tmp_path, 20)
    with pytest.raises(ResumeError, match="a run that differs in trainer: go on"):
        last_checkpoint(tmp_path, {**RECORDED, "trainer": {"epochs": 4}})
    (tmp_path / RECORD).unlink()
    with pytest.raises(ResumeError, match=r"run\.json is missing or damaged"):
        last_checkpoint(tmp_path, RECORDED)


def test_a_new_run_forgets_what_another_left_and_nothing_else(tmp_path: Path) -> None:
    add_checkpoint(tmp_path, 20)
    (tmp_path / "kept" / "best").mkdir(parents=True)
    for mine in ("checkpoint-of-mine", "notes"):
        (tmp_path / mine).mkdir()
    assert begin(tmp_path, RECORDED, "{}") == 1
    assert {path.name for path in tmp_path.iterdir()} == {RECORD, CONFIG, "checkpoint-of-mine", "notes"}
