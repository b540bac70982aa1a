"""The whole path on a tiny model: from a configuration to a bundle that the service loads."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from peft import LoraConfig, PeftModel
from transformers import AutoModel
from typer.testing import CliRunner

from service.core.bundle import Bundle, read_bundle
from service.core.engines.loading import EngineOptions, load_model
from service.core.matching import Matcher
from tests.support.tiny_models import write_bge_like
from tests.support.training_world import examples_of
from training.cli import app
from training.evaluation.schema import Evaluation

SPLIT_JOBS = {"train": 8, "validation": 3, "calibration": 5, "threshold": 5, "test": 5}


def write_config(folder: Path, **changes: dict[str, object]) -> Path:
    """A run on a user's own data: a CSV file for each split, a tiny model."""
    model = folder / "model"
    if not model.exists():
        write_bge_like(model, pooling_mode="mean")
    columns = ["job_id", "title", "job", "resume_id", "resume", "label", "sex"]
    for number, (split, jobs) in enumerate(SPLIT_JOBS.items()):
        with (folder / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            for e in examples_of(jobs, prefix=split, seed=number):
                row = [e.job_id, e.title, e.description, e.resume_id, e.resume, e.label, e.groups["sex"]]
                writer.writerow(row)
    names = {name: name for name in ("job_id", "title", "job", "resume_id", "resume", "label")}
    content: dict[str, Any] = {
        "name": "tiny-fair",
        "base_model": {"id": str(model)},
        "data": {
            "files": {
                "files": {split: str(folder / f"{split}.csv") for split in SPLIT_JOBS},
                "columns": names | {"groups": {"sex": "sex"}},
            }
        },
        "losses": {"pairing": 0.01},
        "trainer": {"epochs": 3, "batch_jobs": 6, "learning_rate": 1e-3, "precision": "f32", "threads": 1},
        "selection": {"keep": "all", "window": [2, 3], "window_fairness": 1e-9},
        "erasure": {"resumes": 12},
        "evaluation": {"rounds": 20, "audited": 3, "names_per_group": 2, "minimum": 5},
    }
    for name, value in changes.items():
        content[name] = content.get(name, {}) | value
    config = folder / "run.yaml"
    config.write_text(json.dumps(content), "utf-8")
    return config


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def bundle(place: Path) -> Bundle:
    config = write_config(place)
    result = CliRunner().invoke(
        app, ["run", "--config", str(config), "--output", str(place / "bundle"), "--quiet"]
    )
    assert result.exit_code == 0, result.stderr
    return read_bundle(place / "bundle")


def test_the_bundle_holds_all_that_it_should(bundle: Bundle) -> None:
    assert {
        "README.md",
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "calibration.json",
        "decision.json",
        "epoch_metrics.csv",
        "eraser.safetensors",
        "fairness_report.html",
        "metrics.json",
        "probes.json",
        "training_config.json",
        "training_history.json",
    } == set(bundle.manifest.files)
    assert bundle.decision.constraint != "none"
    history = json.loads((bundle.path / "training_history.json").read_text("utf-8"))
    assert set(history["chosen"]) == {"best", "best_utility", "best_fairness"}
    assert [row["epoch"] for row in history["epochs"]] == [1, 2, 3]


@pytest.mark.slow
def test_another_epoch_is_chosen_without_training(bundle: Bundle, place: Path) -> None:
    work, output = place / "bundle.work", place / "again"
    choose = ["choose", "--work", str(work), "--output", str(output)]
    history = json.loads((bundle.path / "training_history.json").read_text("utf-8"))
    for final in ("best_utility", "epoch=2"):
        result = CliRunner().invoke(app, [*choose, "--final", final, "--overwrite"])
        assert result.exit_code == 0, result.stderr
        config = json.loads((output / "training_config.json").read_text("utf-8"))
        assert config["selection"]["final"] == final
        number = history["chosen"]["best_utility"] if final == "best_utility" else 2
        kept = (work / "kept" / f"epoch-{number}" / "adapter_model.safetensors").read_bytes()
        assert (output / "adapter" / "adapter_model.safetensors").read_bytes() == kept
    assert CliRunner().invoke(app, [*choose, "--overwrite"]).exit_code == 0
    name = "adapter/adapter_model.safetensors"
    assert read_bundle(output).manifest.files == bundle.manifest.files | {
        other: digest for other, digest in read_bundle(output).manifest.files.items() if other != name
    }


def test_an_empty_window_falls_back_to_best_and_says_so(bundle: Bundle, place: Path) -> None:
    choose = ["choose", "--work", str(place / "bundle.work"), "--output", str(place / "window")]
    result = CliRunner().invoke(app, [*choose, "--final", "window_best"])
    assert result.exit_code == 0, result.stderr
    said = "`best` was taken in place of `window_best`"
    assert said in result.stderr
    name = "adapter/adapter_model.safetensors"
    assert read_bundle(place / "window").manifest.files[name] == bundle.manifest.files[name]
    assert said in (place / "window" / "metrics.json").read_text("utf-8")


@pytest.mark.parametrize(
    ("final", "said"),
    [
        ("epoch=9", "epoch=9 is not among the epochs that were kept"),
        ("epoch=0", "--final: "),
        ("?", "--final: "),
    ],
)
def test_what_cannot_be_chosen_is_said(bundle: Bundle, place: Path, final: str, said: str) -> None:
    choose = ["choose", "--work", str(place / "bundle.work"), "--output", str(place / "no"), "--final", final]
    result = CliRunner().invoke(app, choose)
    assert result.exit_code == 1
    assert said in result.stderr
    assert not (place / "no").exists()


def test_a_folder_of_no_finished_run_has_nothing_to_choose(place: Path, tmp_path: Path) -> None:
    choose = ["choose", "--work", str(tmp_path), "--output", str(tmp_path / "b")]
    result = CliRunner().invoke(app, choose)
    assert result.exit_code == 1
    assert "no work folder of a run that has trained to its end" in result.stderr


def test_other_data_are_refused_when_choosing(tmp_path: Path, bundle: Bundle, place: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(place / "bundle.work", work)
    record = json.loads((work / "run.json").read_text("utf-8"))
    record["pairs"]["train"] = "0" * 64
    (work / "run.json").write_text(json.dumps(record))
    choose = ["choose", "--work", str(work), "--output", str(tmp_path / "b")]
    result = CliRunner().invoke(app, choose)
    assert result.exit_code == 1
    assert "the pairs are not those that the run" in result.stderr


def test_every_epoch_has_its_threshold_temperature_and_weights(bundle: Bundle) -> None:
    with (bundle.path / "epoch_metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(-1 <= float(row["threshold"]) <= 1 for row in rows)
    assert "temperature" in rows[-1]
    assert {float(row["weight_contrastive"]) for row in rows} == {1.0}
    weights = [float(row["weight_pairing"]) for row in rows]
    assert weights == sorted(weights)
    assert weights[-1] == 0.01


@pytest.mark.slow
def test_the_service_loads_it_and_scores_with_it(bundle: Bundle, tmp_path: Path) -> None:
    loaded = load_model(bundle, EngineOptions("openvino", "cpu", threads=1, cache=tmp_path, precision="f32"))
    matcher = Matcher(bundle, loaded.tokenizer)
    job = matcher.tokenize_job("care for patients on the ward", "nurse")
    resume = matcher.tokenize_resume("registered nurse on a surgical ward")
    match = matcher.match(job, loaded.engine.embed(job.texts), loaded.engine.embed(resume.texts))
    assert 0 <= match.calibrated_probability <= 1


def test_the_adapter_loads_with_plain_peft(bundle: Bundle, place: Path) -> None:
    base = AutoModel.from_pretrained(place / "model", local_files_only=True)
    lora = PeftModel.from_pretrained(base, str(bundle.path / "adapter")).peft_config["default"]
    assert isinstance(lora, LoraConfig)
    assert lora.r == 8


def test_metrics_are_of_unseen_data_and_of_the_bundle(bundle: Bundle) -> None:
    evaluation = Evaluation.model_validate_json((bundle.path / "metrics.json").read_text("utf-8"))
    assert evaluation.subject.threshold == bundle.decision.threshold
    assert [audit.redact for audit in evaluation.audits] == [False, True]
    redacted = evaluation.audits[1].attributes[0]
    assert all(group.figures["flip_rate"].value == 0 for group in redacted.groups)
    config = json.loads((bundle.path / "training_config.json").read_text("utf-8"))
    assert config["name"] == bundle.manifest.name == "tiny-fair"


@pytest.mark.slow
def test_it_runs_again_to_the_same_adapter(bundle: Bundle, tmp_path: Path) -> None:
    config = write_config(tmp_path, evaluation={"audited": 0})
    result = CliRunner().invoke(
        app, ["run", "--config", str(config), "--output", str(tmp_path / "b"), "--quiet"]
    )
    assert result.exit_code == 0, result.stderr
    name = "adapter/adapter_model.safetensors"
    assert read_bundle(tmp_path / "b").manifest.files[name] == bundle.manifest.files[name]


def test_without_losses_the_base_model_is_calibrated_as_it_is(tmp_path: Path) -> None:
    config = write_config(
        tmp_path,
        losses={"contrastive": 0.0, "pairing": 0.0},
        erasure={"method": "none"},
        evaluation={"audited": 0, "redact": False},
    )
    result = CliRunner().invoke(
        app, ["run", "--config", str(config), "--output", str(tmp_path / "b"), "--quiet"]
    )
    assert result.exit_code == 0, result.stderr
    bundle = read_bundle(tmp_path / "b")
    assert bundle.adapter_path is None
    assert bundle.eraser is None
    evaluation = Evaluation.model_validate_json((bundle.path / "metrics.json").read_text("utf-8"))
    assert not evaluation.subject.redact


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trainer": {"batch_jobs": 640}}, "items of jobs and their labelled resumes; a batch"),
        ({"trainer": {"learning_rate": 1e30, "max_gradient_norm": 1e30}}, "not finite"),
        ({"adapter": {"frozen_layers": 2}}, "frozen_layers is 2; the base model has 2 layers"),
        ({"adapter": {"target_modules": ["kay"]}}, "its linear layers are called dense, key, query, value"),
        ({"sampling": {"balance_by": "age"}}, "names no groups of age; it has those of sex"),
        ({"trainer": {"adversary_clamp": {"adaptive": True}}}, "but losses.adversary is 0"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    tmp_path: Path, changes: dict[str, dict[str, object]], said: str
) -> None:
    config = write_config(tmp_path, **changes)
    result = CliRunner().invoke(
        app, ["run", "--config", str(config), "--output", str(tmp_path / "b"), "--quiet"]
    )
    assert result.exit_code == 1
    assert said in result.stderr
    assert not (tmp_path / "b").exists()


def test_what_stands_at_the_output_is_told_of_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(tmp_path)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    run = ["run", "--config", str(config), "--quiet", "--work", str(tmp_path / "work"), "--output"]
    monkeypatch.chdir(mine)
    for place in (str(mine), "."):
        for more, said in (([], "exists already"), (["--overwrite"], "is not a bundle")):
            result = CliRunner().invoke(app, [*run, place, *more])
            assert result.exit_code == 1
            assert said in result.stderr
    result = CliRunner().invoke(app, [*run, str(mine / "thesis.txt" / "b")])
    assert result.exit_code == 1
    assert "thesis.txt cannot be written to: " in result.stderr
    assert [file.name for file in mine.iterdir()] == ["thesis.txt"]
    assert not (tmp_path / "work" / "kept").exists()


@pytest.mark.slow
def test_a_run_goes_on_from_its_own_checkpoints_only(tmp_path: Path) -> None:
    """Else the last checkpoint of an earlier, longer run would pass for the last of this one."""
    run = ["run", "--output", str(tmp_path / "b"), "--quiet", "--overwrite", "--config"]
    long = CliRunner().invoke(app, [*run, str(write_config(tmp_path, trainer={"epochs": 2}))])
    assert long.exit_code == 0, long.stderr
    config = str(write_config(tmp_path, trainer={"epochs": 1}, evaluation={"audited": 0}))
    refused = CliRunner().invoke(app, [*run, config, "--resume"])
    assert refused.exit_code == 1
    assert "are of a run that differs in trainer:" in refused.stderr
    (tmp_path / "b.work" / "kept" / "window_best").mkdir()
    anew = CliRunner().invoke(app, [*run, config])
    assert anew.exit_code == 0, anew.stderr
    assert "2 checkpoints of another run were removed" in anew.stderr
    assert [folder.name for folder in (tmp_path / "b.work").glob("checkpoint-*")] == ["checkpoint-8"]
    assert not (tmp_path / "b.work" / "kept" / "window_best").exists()


@pytest.mark.slow
def test_data_that_changed_is_not_gone_on_with(tmp_path: Path) -> None:
    config = write_config(tmp_path, trainer={"epochs": 1}, evaluation={"audited": 0})
    run = ["run", "--output", str(tmp_path / "b"), "--quiet", "--overwrite", "--config", str(config)]
    assert CliRunner().invoke(app, run).exit_code == 0
    lines = (tmp_path / "train.csv").read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "train.csv").write_text("".join(lines).replace("nurse", "ward"), "utf-8")
    refused = CliRunner().invoke(app, [*run, "--resume"])
    assert refused.exit_code == 1
    assert "differs in pairs:" in refused.stderr
    assert "nurse" not in (tmp_path / "b.work" / "run.json").read_text("utf-8")


@pytest.mark.slow
def test_few_jobs_are_cross_fitted_and_resumed_to_the_same(tmp_path: Path) -> None:
    config = write_config(tmp_path, trainer={"epochs": 2}, evaluation={"audited": 2})
    with (tmp_path / "all.csv").open("w", encoding="utf-8") as whole:
        for number, split in enumerate(SPLIT_JOBS):
            lines = (tmp_path / f"{split}.csv").read_text("utf-8").splitlines(keepends=True)
            whole.writelines(lines[number > 0 :])
    content = json.loads(config.read_text("utf-8"))
    content["data"]["files"] |= {"file": str(tmp_path / "all.csv"), "files": {}, "folds": 3}
    config.write_text(json.dumps(content), "utf-8")
    run = ["run", "--config", str(config), "--quiet", "--work", str(tmp_path / "work"), "--output"]
    first = CliRunner().invoke(app, [*run, str(tmp_path / "first")])
    assert first.exit_code == 0, first.stderr
    assert "fold 3 of 3: an epoch passes over" in first.stderr
    assert "the held-out pairs: 312 pairs" in first.stderr
    evaluation = Evaluation.model_validate_json((tmp_path / "first" / "metrics.json").read_text("utf-8"))
    assert (evaluation.data.pairs, evaluation.data.jobs) == (312, 78)
    assert len(evaluation.audits) == 2
    calibration = json.loads((tmp_path / "first" / "calibration.json").read_text("utf-8"))
    assert calibration["pairs"] == 312

    # As if it had been stopped in the second fold.
    shutil.rmtree(tmp_path / "work" / "fold-3")
    for folder in (tmp_path / "work", tmp_path / "work" / "fold-2"):
        (folder / "trained.json").unlink()
        for checkpoint in sorted(folder.glob("checkpoint-*"), key=lambda c: int(c.name[11:]))[1:]:
            shutil.rmtree(checkpoint)
    again = CliRunner().invoke(app, [*run, str(tmp_path / "again"), "--resume"])
    assert again.exit_code == 0, again.stderr
    files = read_bundle(tmp_path / "first").manifest.files
    resumed = read_bundle(tmp_path / "again").manifest.files
    for name in (
        "adapter/adapter_model.safetensors",
        "calibration.json",
        "decision.json",
        "eraser.safetensors",
    ):
        assert resumed[name] == files[name], name

    chosen = CliRunner().invoke(
        app,
        ["choose", "--work", str(tmp_path / "work"), "--output", str(tmp_path / "b"), "--final", "epoch=1"],
    )
    assert chosen.exit_code == 0, chosen.stderr
    assert read_bundle(tmp_path / "b").manifest.files["calibration.json"] != files["calibration.json"]


@pytest.mark.slow
def test_the_options_for_fairness_go_from_configuration_to_card(tmp_path: Path) -> None:
    config = write_config(
        tmp_path,
        sampling={"balance_by": "sex", "reweighing": {"method": "kamiran_calders"}},
        losses={"adversary": 0.1, "equalized_odds": 0.1},
        trainer={"epochs": 1, "adversary_clamp": {"adaptive": True}},
        adapter={"attention_layers": 1},
        evaluation={"audited": 0},
    )
    run = ["run", "--config", str(config), "--output", str(tmp_path / "b"), "--quiet"]
    result = CliRunner().invoke(app, run)
    assert result.exit_code == 0, result.stderr
    # 24 jobs with two matches and two others each, half of the resumes of either sex.
    drawn = re.search(r"balanced by sex; an epoch draws (\d+) of female, (\d+) of male", result.stderr)
    assert drawn is not None
    assert int(drawn[1]) + int(drawn[2]) >= 96
    assert abs(int(drawn[1]) - int(drawn[2])) <= 4
    bundle = read_bundle(tmp_path / "b")
    card = (bundle.path / "README.md").read_text("utf-8")
    assert f"draws an epoch: {drawn[1]} of female, {drawn[2]} of male" in card
    assert "and whole attention of the last 1 layer on 96 labelled pairs" in card
    assert "pairs weighed by group and label (kamiran_calders)" in card
    with (bundle.path / "epoch_metrics.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert 0.1 <= float(row["adversary_strength"]) <= 2
    options = EngineOptions("openvino", "cpu", threads=1, cache=tmp_path, precision="f32")
    assert load_model(bundle, options).engine.info.dimensions == bundle.manifest.base_model.dimensions


@pytest.mark.slow
def test_the_smoke_run_on_the_real_model(tmp_path: Path) -> None:
    """What `make train-smoke` runs: synthetic data, MiniLM, biased evaluation included."""
    smoke = Path(__file__).parents[3] / "training" / "configs" / "smoke.yaml"
    result = CliRunner().invoke(
        app, ["run", "--config", str(smoke), "--output", str(tmp_path / "b"), "--quiet"]
    )
    assert result.exit_code == 0, result.stderr
    bundle = read_bundle(tmp_path / "b")
    assert bundle.manifest.passages.layout
    biased = Evaluation.model_validate_json((bundle.path / "metrics_biased.json").read_text("utf-8"))
    assert [judgement.labels for judgement in biased.judgements] == ["given", "true"]
