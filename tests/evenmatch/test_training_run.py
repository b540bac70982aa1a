"""Training on a data frame with a tiny model, from the frame to a loaded bundle."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pandas
import polars
import pytest

import evenmatch
from evenmatch.training_run import TrainingRun
from service.core.errors import BundleError, EvenmatchError
from tests.support.tiny_models import write_bge_like
from tests.support.training_world import examples_of
from training.config import ConfigError, RunConfig
from training.data.example import DataError, DataFormatError, LeakageError

SPLIT_JOBS = {"train": 8, "validation": 3, "calibration": 5, "threshold": 5, "test": 5}
MARK = "surgical"
"""A word of the resumes that must stand in no file that a run leaves behind."""


def frames() -> dict[str, pandas.DataFrame]:
    """The pairs of `tests/training/pipeline/test_run.py`, in columns of other names."""
    return {
        split: pandas.DataFrame(
            [
                {
                    "req": e.job_id,
                    "role": e.title,
                    "ad": e.description,
                    "person": e.resume_id,
                    "cv": f"{e.resume} {MARK}",
                    "fits": e.label,
                    "gender": e.groups["sex"],
                }
                for e in examples_of(jobs, prefix=split, seed=number)
            ]
        )
        for number, (split, jobs) in enumerate(SPLIT_JOBS.items())
    }


COLUMNS: dict[str, Any] = {
    "resume_column": "cv",
    "job_column": "ad",
    "label_column": "fits",
    "title_column": "role",
    "job_id_column": "req",
    "resume_id_column": "person",
    "group_columns": {"sex": "gender"},
}


def config_of(model: Path) -> dict[str, Any]:
    return {
        "name": "tiny-frame",
        "base_model": {"id": str(model)},
        "losses": {"pairing": 0.01},
        "trainer": {"epochs": 2, "batch_jobs": 6, "learning_rate": 1e-3, "precision": "f32", "threads": 1},
        "erasure": {"resumes": 12},
        "evaluation": {"rounds": 20, "audited": 2, "names_per_group": 2, "minimum": 5},
    }


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bge_like(tmp_path_factory.mktemp("model") / "model", pooling_mode="mean")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def run(model: Path, place: Path, said: list[str]) -> TrainingRun:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        found = evenmatch.train(config_of(model), frames(), output=place / "bundle", **COLUMNS)
    said += [out.getvalue(), err.getvalue()]
    return found


def test_a_run_says_what_it_did(run: TrainingRun, said: list[str], place: Path) -> None:
    assert run.path == place / "bundle"
    assert [int(row["epoch"]) for row in run.epochs] == [1, 2]
    assert set(run.losses) >= {"loss", "contrastive", "pairing"}
    assert all(len(values) == 2 for values in run.losses.values())
    assert set(run.chosen) == {"best", "best_utility", "best_fairness"}
    table = run.to_frame()
    assert list(table["epoch"]) == [1, 2]
    assert "best" in ", ".join(table["chosen_as"])
    assert run.evaluation.evaluation.data.pairs == len(frames()["test"])
    assert run.evaluation.differences().query("figure == 'demographic_parity_difference'")["n"].item() > 0
    assert "tiny-frame 1.0.0, 2 epochs" in repr(run)
    out, err = said
    assert "an epoch passes over" in out
    assert "training: 100%" in err
    assert "{'loss'" not in out  # lines of the base class


def test_no_text_is_left_on_the_disk(run: TrainingRun, place: Path) -> None:
    # The tokenizer's own word list and the fixed texts of the reference vectors are not the pairs.
    files = [file for file in place.rglob("*") if file.is_file()]
    assert len(files) > 10
    texts = [frame["cv"][0].encode() for frame in frames().values()]
    for file in files:
        content = file.read_bytes()
        assert not any(text in content for text in texts), file
        if file.name not in ("probes.json", "tokenizer.json"):
            assert MARK.encode() not in content, file


def test_the_run_is_drawn(run: TrainingRun) -> None:
    plot = run.plot()
    losses, figures = plot.figure.axes
    assert [list(line.get_xdata()) for line in losses.lines] == [[1, 2]] * len(run.losses)
    assert plot._repr_png_().startswith(b"\x89PNG")
    assert plot.save(run.path.with_name("run.svg")).read_text("utf-8").startswith("<?xml")
    assert list(figures.lines[0].get_ydata()) == [row["pr_auc"] for row in run.epochs]


def test_a_run_is_read_again(run: TrainingRun) -> None:
    again = evenmatch.read_run(run.path)
    assert again.epochs == run.epochs
    assert again.config == run.config
    with pytest.raises(BundleError, match="was not made by a training run"):
        evenmatch.read_run(_without_config(run))


def _without_config(run: TrainingRun) -> Path:
    """The same bundle as if a release before training had made it."""
    from service.core.bundle import write_bundle

    bundle = run.bundle
    parts = {
        "calibration.json": bundle.calibration,
        "decision.json": bundle.decision,
        "probes.json": bundle.reference_vectors,
    }
    other = write_bundle(
        run.path.with_name("plain"), bundle.manifest, parts, adapter=bundle.adapter_path, eraser=bundle.eraser
    )
    return other.path


@pytest.mark.slow
def test_the_same_pairs_as_files_make_the_same_bundle(run: TrainingRun, model: Path, place: Path) -> None:
    content = config_of(model)
    files = {}
    for split, frame in frames().items():
        files[split] = str(place / f"{split}.parquet")
        frame.to_parquet(files[split])
    names = {name.removesuffix("_column"): column for name, column in COLUMNS.items() if "group" not in name}
    columns = names | {"groups": COLUMNS["group_columns"]}
    content["data"] = {"files": {"files": files, "columns": columns}}
    other = evenmatch.train(content, output=place / "of-files", progress=False)
    same = {
        name: digest
        for name, digest in run.bundle.manifest.files.items()
        if not name.endswith(("config.json", "metrics.json", ".html", ".md", "_history.json"))
    }
    assert len(same) >= 5
    assert same.items() <= other.bundle.manifest.files.items()
    assert [dict(row) for row in other.epochs] == [dict(row) for row in run.epochs]


@pytest.mark.slow
def test_a_run_is_gone_on_with_from_its_checkpoint(run: TrainingRun, model: Path, place: Path) -> None:
    polar = {split: polars.from_pandas(frame) for split, frame in frames().items()}
    again = evenmatch.train(
        RunConfig.model_validate(
            config_of(model)
            | {"data": {"files": {"file": "x.csv", "columns": {"resume": "cv", "job": "ad"}}}}
        ),
        polar,
        output=place / "bundle",
        resume=True,
        overwrite=True,
        progress=False,
        **COLUMNS,
    )
    name = "adapter/adapter_model.safetensors"
    assert again.bundle.manifest.files[name] == run.bundle.manifest.files[name]


def test_its_configuration_cannot_find_the_frame_again(run: TrainingRun) -> None:
    with pytest.raises(
        DataFormatError, match="were given as a data frame, which is not in its configuration"
    ):
        run.config.data.load()


BAD: list[tuple[Any, dict[str, Any], type[EvenmatchError], str]] = [
    (lambda f: f.drop(columns="cv"), {}, DataFormatError, "the data frame has no column `cv`"),
    (lambda f: f[:0], {}, DataFormatError, "the data frame holds no rows"),
    (
        lambda f: f.assign(cv=[None, *f["cv"][1:]]),
        {},
        DataFormatError,
        "the data frame: row 1, column `cv`: must be a text, is missing",
    ),
    (
        lambda f: f.assign(fits=[*f["fits"][:-1], float("nan")]),
        {},
        DataFormatError,
        "column `fits`: no label",
    ),
    (lambda f: f.assign(fits=7), {}, DataFormatError, "row 1, column `fits`: must be 0, 1"),
    (lambda f: f.assign(fits=1), {}, DataError, "one class"),
    (lambda f: f, {"group_columns": ["age"]}, DataFormatError, "no column `age` (columns.groups.age)"),
    (lambda f: {"train": f, "test": f}, {}, LeakageError, "resume"),
]


@pytest.mark.parametrize(("change", "columns", "kind", "message"), BAD)
def test_bad_frames_are_told_before_anything_is_trained(
    change: Any,
    columns: dict[str, Any],
    kind: type[EvenmatchError],
    message: str,
    model: Path,
    tmp_path: Path,
) -> None:
    whole = pandas.concat(frames().values(), ignore_index=True)
    with pytest.raises(kind) as raised:
        evenmatch.train(
            config_of(model),
            change(whole),
            output=tmp_path / "bundle",
            progress=False,
            **{**COLUMNS, **columns},
        )
    assert message in raised.value.message
    assert MARK not in raised.value.message
    assert list(tmp_path.iterdir()) == []


def test_bad_configurations_are_told(model: Path, tmp_path: Path) -> None:
    frame = frames()["train"]
    for config, message in (
        (config_of(model) | {"trainr": {}}, "the configuration: trainr: Extra inputs are not permitted; did"),
        (config_of(model) | {"name": "A B"}, "the configuration: name"),
        (str(tmp_path / "none.yaml"), "none.yaml cannot be read"),
    ):
        with pytest.raises(ConfigError) as raised:
            evenmatch.train(config, frame, output=tmp_path / "bundle", progress=False)
        assert message in raised.value.message
    with pytest.raises(TypeError, match="resume_column is for a data frame, and none is given"):
        evenmatch.train(config_of(model), output=tmp_path / "bundle", resume_column="cv")


def test_a_shipped_recipe_is_taken_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.txt").write_text("mine")
    with pytest.raises(DataFormatError, match="must be a text, is missing"):
        evenmatch.train(
            "smoke", [{"resume": None, "job": "a", "label": 1}], output=tmp_path / "there", progress=False
        )
