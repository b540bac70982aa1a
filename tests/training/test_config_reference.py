from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from training.config import CONFIGS, ConfigError, RunConfig, read_run_config, read_yaml
from training.config_reference import config_keys, config_schema, nearest_key

KEYS = {key.path: key for key in config_keys(RunConfig)}


def test_every_key_says_what_it_does() -> None:
    assert len(KEYS) > 90
    assert [path for path, key in KEYS.items() if not key.meaning.strip()] == []


def test_defaults_are_those_of_a_configuration_that_says_nothing() -> None:
    config = RunConfig.model_validate({"name": "ours", "data": {"synthetic": {}}})
    dumped = json.loads(config.model_dump_json())
    for path, key in KEYS.items():
        if key.default is None or "ATTRIBUTE" in path or path.startswith("data.files"):
            continue
        value = dumped
        for part in path.split("."):
            value = None if value is None else value[part]
        if value is None:  # within a part that is left out
            continue
        assert key.default == (f"{value:g}" if isinstance(value, float) else json.dumps(value).strip('"')), (
            path
        )


@pytest.mark.parametrize(
    ("path", "takes"),
    [
        ("trainer.epochs", "whole number >= 1"),
        ("losses.temperature", "number > 0"),
        ("selection.patience", "whole number >= 1 or null"),
        ("selection.window", "[whole number, whole number]"),
        ("base_model.pooling", "`mean`, `cls` or null"),
        ("calibration.methods", "list of `platt`, `temperature`, `isotonic`"),
    ],
)
def test_types_and_ranges_are_said_in_words(path: str, takes: str) -> None:
    assert KEYS[path].takes == takes


@pytest.mark.parametrize("recipe", ["minilm-fair.yaml", "base.yaml", "smoke.yaml"])
def test_the_schema_takes_the_committed_recipes(recipe: str) -> None:
    validator = Draft202012Validator(json.loads(config_schema(RunConfig)))
    content = read_yaml(CONFIGS / recipe)
    assert list(validator.iter_errors(content)) == []
    assert list(validator.iter_errors(content | {"epochs": 3})) != []


@pytest.mark.parametrize(
    ("loc", "meant"),
    [
        (("trainer", "learning_rat"), "trainer.learning_rate"),
        (("epochs",), "trainer.epochs"),
        (("trainer", "kept_share"), "trainer.kept_share"),
        (("losses", "quite_another"), None),
        (("nowhere", "at", "all"), None),
    ],
)
def test_the_nearest_key(loc: tuple[str, ...], meant: str | None) -> None:
    assert nearest_key(RunConfig, loc) == meant


def test_an_unknown_key_is_refused_with_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("name: ours\ndata: {synthetic: {}}\ntrainer: {learning_rat: 0.1}\n")
    with pytest.raises(ConfigError, match=r"did you mean trainer\.learning_rate\?") as caught:
        read_run_config(file)
    assert caught.value.field == "trainer.learning_rat"
