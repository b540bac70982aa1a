"""Arms of an ablation are runs of one configuration with parts changed; finished ones are not run again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.training.pipeline.test_run import write_config
from training.cli import app
from training.config import CONFIGS, ConfigError, merged, read_run_config
from training.research import ablation
from training.research.ablation import read_ablation, run_ablation, table

ARMS = {
    "base": {"losses": {"contrastive": 0.0, "pairing": 0.0}, "erasure": {"method": "none"}},
    "match": {"erasure": {"method": "none"}},
    "match and LEACE": {},
}


def write_ablation(folder: Path, **changes: object) -> Path:
    write_config(folder, evaluation={"audited": 3, "names_per_group": 2, "rounds": 10}, trainer={"epochs": 1})
    content = {"base": "run.yaml", "seeds": [1, 2], "arms": ARMS} | changes
    file = folder / "ablations.yaml"
    file.write_text(json.dumps(content), "utf-8")
    return file


def test_changes_reach_into_nested_parts_and_leave_the_rest() -> None:
    base = {"losses": {"pairing": 1.0, "contrastive": 2.0}, "seed": 3}
    assert merged(base, {"losses": {"pairing": 0.0}, "name": "x"}) == {
        "losses": {"pairing": 0.0, "contrastive": 2.0},
        "seed": 3,
        "name": "x",
    }
    assert base["losses"] == {"pairing": 1.0, "contrastive": 2.0}


def test_a_wrong_key_is_named_with_its_arm(tmp_path: Path) -> None:
    file = write_ablation(tmp_path, arms={"odd": {"losses": {"pairing": -1.0}}})
    with pytest.raises(ConfigError, match=r"arm 'odd': losses\.pairing: Input should be greater"):
        read_ablation(file)
    with pytest.raises(ConfigError, match=r"seeds: Tuple should have at least 1"):
        read_ablation(write_ablation(tmp_path, seeds=[]))


def test_the_committed_ablations_are_runs_of_the_committed_configuration() -> None:
    config, runs = read_ablation(CONFIGS / "ablations.yaml")
    assert len(runs) == len(config.arms)
    untrained = [name for name, run in runs.items() if not run.losses.names]
    assert len(untrained) == 3
    recipe = list(runs.values())[-1]
    assert recipe.losses == read_run_config(CONFIGS / "minilm-fair.yaml").losses


@pytest.mark.slow
def test_arms_are_run_once_and_put_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, work, output = write_ablation(tmp_path), tmp_path / "work", tmp_path / "table.md"
    arguments = ["ablate", "--config", str(file), "--work", str(work), "--output", str(output), "--quiet"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.stderr
    lines = output.read_text("utf-8").splitlines()
    assert [line.split(" | ")[0].strip("| ") for line in lines[2:]] == list(ARMS)
    # What differs in erasure only shares its training: one folder a seed.
    assert len(list((work / "training").glob("*/kept"))) == 2
    assert len(list((work / "bundles").iterdir())) == 1 + 2 * 2  # without training one seed is enough

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a finished run was run again")

    monkeypatch.setattr(ablation, "make_bundle", never)
    arms = run_ablation(file, work)
    assert table(arms) == output.read_text("utf-8")
    auc = {arm.name: arm.figures["roc_auc"] for arm in arms}
    assert all(figure.n == 60 for figure in auc.values())
    assert auc["base"].value != auc["match"].value
