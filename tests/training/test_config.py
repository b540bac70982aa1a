from __future__ import annotations

from pathlib import Path

import pytest

from training.config import CONFIGS, ConfigError, read_run_config, read_yaml

RUNS = sorted(file for file in CONFIGS.glob("*.yaml") if file.stem != "ablations")


@pytest.mark.parametrize("file", RUNS, ids=lambda file: file.stem)
def test_committed_configs_are_valid(file: Path) -> None:
    assert read_run_config(file).name in (file.stem, f"minilm-{file.stem}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data: {synthetic: {}}", "name: Field required"),
        ("name: x", "data: Field required"),
        ("name: x\ndata: {}", "give either data.synthetic or data.files"),
        ("name: x\ndata: {synthetic: {}}\nlearning_rate: 1", "learning_rate: Extra inputs are not permitted"),
        ("name: x\ndata: {synthetic: {}}\ntrainer: {epochs: 0}", "trainer.epochs: Input should"),
        ("name: x\ndata: {synthetic: {}}\nlosses: {pairing: -1}", "losses.pairing: Input should"),
        ("name: x\ndata: {synthetic: {}}\nlosses: {retelling: 1}", "needs data.synthetic.retell"),
        (
            "name: x\ndata: {synthetic: {}}\nselection: {final: nicest}",
            "selection.final: Value error, must be best, ",
        ),
        (
            "name: x\ndata: {synthetic: {}}\nlosses: {pairing: .inf}",
            "losses.pairing: Input should be a finite",
        ),
        (
            "name: x\ndata: {synthetic: {}}\ntrainer: {learning_rate: .inf}",
            "trainer.learning_rate: Input should",
        ),
        ("name: x\ndata: {synthetic: {}}\nseed: -1", "seed: Input should"),
        ("name: x\ndata: {synthetic: {}}\nseed: 4294967296", "seed: Input should"),
        ("name: x\ndata: {synthetic: {}}\nadapter: {target_modules: []}", "adapter.target_modules: "),
        ("name: x\ndata: {synthetic: {}}\nlosses: {}\nlosses: {pairing: 1}", "`losses` twice"),
        ("name: x\ndata: {synthetic: {}}\nlosses: {pairing: 1, pairing: 2}", "`pairing` twice"),
        (
            "name: x\ndata: {synthetic: {}}\nselection: {final: window_best}",
            "selection.window begins at epoch 7 and trainer.epochs is 3",
        ),
        ("- a list", "expected keys and values"),
        ("name: [", "is not YAML"),
    ],
)
def test_a_wrong_config_names_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        read_run_config(file)
    assert str(file) in caught.value.message
    assert said in caught.value.message


def test_a_missing_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml cannot be read: No such file"):
        read_run_config(tmp_path / "none.yaml")


def test_words_and_numbers_read_as_yaml_1_2_says(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    bias = "{label: 0.2, on: {sex: {groups: [female]}}}"
    text = f"name: no\ndata: {{synthetic: {{bias: {bias}}}}}\ntrainer: {{learning_rate: 1e-4}}\n"
    file.write_text(text, "utf-8")
    config = read_run_config(file)
    assert config.name == "no"
    assert config.trainer.learning_rate == 1e-4
    assert config.data.synthetic is not None
    assert set(config.data.synthetic.bias.on) == {"sex"}
    assert read_yaml(file)["trainer"] == {"learning_rate": 1e-4}  # a number before anything is validated


def test_changes_are_laid_over_a_recipe(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("name: x\ndata: {synthetic: {seed: 1, test_jobs: 5}}\n", "utf-8")
    config = read_run_config(file, {"name": "y", "data": {"synthetic": {"seed": 2}}})
    assert config.name == "y"
    assert config.data.synthetic is not None
    assert (config.data.synthetic.seed, config.data.synthetic.test_jobs) == (2, 5)
    with pytest.raises(ConfigError, match="seed: Input should"):
        read_run_config(file, {"seed": -1})


def test_a_part_can_be_named_once_and_used_again(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("a: &x {name: x}\nb: {<<: *x, name: y}\n", "utf-8")
    assert read_yaml(file)["b"] == {"name": "y"}
