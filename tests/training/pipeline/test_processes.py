"""A run by several processes: started by torchrun, by accelerate, or by `--processes`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest
from typer.testing import CliRunner

from service.core.bundle import read_bundle
from tests.training.pipeline.test_run import write_config
from training.cli import app
from training.cli.processes import LaunchError, asked_for, start_processes

TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
ACCELERATE = ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2"]
ADAPTER = "adapter/adapter_model.safetensors"


def launched(launcher: list[str], folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    run = ["run", "--config", str(folder / "run.yaml"), "--output", str(folder / "bundle"), "--quiet", *more]
    return subprocess.run(
        [sys.executable, *launcher, "-m", "training.cli", *run],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same run under both launchers: mined negatives, an adversary, and dropout."""
    folders = {}
    for name, launcher in (("torchrun", TORCHRUN), ("accelerate", ACCELERATE)):
        folder = folders[name] = tmp_path_factory.mktemp(name)
        write_config(
            folder,
            sampling={"mined_negatives": 1},
            losses={"adversary": 0.1},
            adapter={"dropout": 0.1},
            trainer={"epochs": 2, "batch_jobs": 6, "gradient_checkpointing": True, "precision": "f32"},
            evaluation={"audited": 0},
        )
        done = launched(launcher, folder)
        assert done.returncode == 0, done.stderr
        for said in ("wrote ", "an epoch passes over", "fitting the concept eraser"):
            assert done.stderr.count(said) == 1, done.stderr
    return folders


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["torchrun", "accelerate"])
def test_two_processes_train_together_and_one_writes(runs: dict[str, Path], launcher: str) -> None:
    bundle = read_bundle(runs[launcher] / "bundle")
    history = json.loads((bundle.path / "training_history.json").read_text("utf-8"))
    # 48 items of 24 jobs, 6 in a batch of each process: alone they would take 8 steps an epoch.
    assert [row["step"] for row in history["epochs"]] == [4, 8]
    work = runs[launcher] / "bundle.work"
    assert json.loads((work / "run.json").read_text("utf-8"))["processes"] == 2
    states = {file.name for file in (work / "checkpoint-8").glob("rng_state*")}
    assert states == {"rng_state_0.pth", "rng_state_1.pth"}


@pytest.mark.slow
def test_both_launchers_come_to_the_same_bundle(runs: dict[str, Path]) -> None:
    one, other = (read_bundle(folder / "bundle") for folder in runs.values())
    assert one.manifest.files[ADAPTER] == other.manifest.files[ADAPTER]
    assert one.decision == other.decision


@pytest.mark.slow
def test_a_run_of_two_is_not_gone_on_with_by_one(runs: dict[str, Path]) -> None:
    folder = runs["torchrun"]
    run = ["run", "--config", str(folder / "run.yaml"), "--output", str(folder / "bundle"), "--quiet"]
    result = CliRunner().invoke(app, [*run, "--overwrite", "--resume"])
    assert result.exit_code == 1
    assert "are of a run that differs in processes:" in result.stderr


@pytest.mark.slow
def test_what_is_wrong_ends_all_and_is_an_exit_code(tmp_path: Path) -> None:
    write_config(tmp_path, trainer={"learning_rate": 1e30, "max_gradient_norm": 1e30})
    done = launched(ACCELERATE, tmp_path)
    assert done.returncode != 0
    assert "not finite" in done.stderr
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--cpu", "--num_processes", "3", "-m", "training.cli", "run", "--processes", "9"], 3),
        (["--cpu", "--num-processes=2", "--main_process_port", "0", "main.py"], 2),
        (["--cpu", "-m", "training.cli"], 1),
    ],
)
def test_the_number_is_read_from_what_accelerate_was_given(arguments: list[str], count: int) -> None:
    assert asked_for(arguments) == count


def test_the_number_is_read_from_accelerates_configuration_too(tmp_path: Path) -> None:
    config = tmp_path / "cpu.yaml"
    config.write_text(
        "compute_environment: LOCAL_MACHINE\ndistributed_type: MULTI_CPU\nnum_processes: 4\nuse_cpu: true\n"
        "num_machines: 1\nmixed_precision: 'no'\ndebug: false\n"
    )
    assert asked_for(["--config_file", str(config), "main.py"]) == 4


def test_several_machines_need_torchrun() -> None:
    with pytest.raises(LaunchError, match=r"on each of 2 machines: start torchrun on each"):
        asked_for(["--cpu", "--num_processes", "4", "--num_machines", "2", "main.py"])


@pytest.mark.parametrize(
    ("variable", "said"), [("ACCELERATE_USE_FSDP", "FSDP"), ("ACCELERATE_USE_DEEPSPEED", "DeepSpeed")]
)
def test_a_model_that_is_to_be_divided_is_refused_before_anything_is_read(
    variable: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config(tmp_path)
    monkeypatch.setenv(variable, "true")
    run = ["run", "--config", str(tmp_path / "run.yaml"), "--output", str(tmp_path / "bundle"), "--quiet"]
    result = CliRunner().invoke(app, run)
    assert result.exit_code == 1
    told = " ".join(result.stderr.split())
    assert f"accelerate was told to use {said} ({variable} is set); training is data parallel only" in told
    assert not (tmp_path / "bundle.work").exists()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Command lines that this process was to be replaced by."""
    commands: list[list[str]] = []

    def execv(program: str, command: list[str]) -> NoReturn:
        commands.append(command)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    monkeypatch.setattr(os, "environ", dict(os.environ))
    return commands


def test_a_number_of_processes_starts_torchs_launcher(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["evenmatch-train", "run", "--config", "a b.yaml", "--processes", "2"])
    with pytest.raises(SystemExit):
        start_processes(2)
    (command,) = started
    assert command[command.index("--nproc-per-node") + 1] == "2"
    assert command[-6:] == ["training.cli", "run", "--config", "a b.yaml", "--processes", "2"]


def test_one_process_stays_as_it_is(started: list[list[str]]) -> None:
    start_processes(None)
    start_processes(1)
    assert started == []


def test_a_number_beside_a_launcher_must_be_the_launchers(started: list[list[str]]) -> None:
    os.environ |= {"RANK": "0", "WORLD_SIZE": "2"}
    start_processes(2)
    with pytest.raises(LaunchError, match="--processes is 3, but the launcher started 2"):
        start_processes(3)
    assert started == []


def test_an_unknown_parent_of_accelerates_is_told_of_another_way(started: list[list[str]]) -> None:
    """Such as a shell script that `accelerate launch` starts: its own command line says nothing."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1"}
    with pytest.raises(LaunchError, match="starts one process only: give evenmatch-train --processes"):
        start_processes(None)
