"""Training from a notebook, and what came of a run."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Unpack

from evenmatch.columns import Columns, columns_given, data_config, tables_of
from evenmatch.frames import Frame, data_frame
from evenmatch.measuring import BundleEvaluation
from evenmatch.model import Model, load
from service.core.bundle import Bundle, read_bundle
from service.core.errors import BundleError
from training.config import CONFIGS, RunConfig, check_run_config, read_yaml
from training.data.user_data import load_user_data
from training.evaluation.comparison import read_metrics
from training.learning.epochs import JSON_FILE

Config = str | Path | Mapping[str, Any] | RunConfig
"""A YAML file, the name of a recipe that comes with Evenmatch, the content of such a file, or a model."""

TRAINING_CONFIG = "training_config.json"


@dataclass(frozen=True)
class Plot:
    """A drawing that a notebook shows. `figure`: of matplotlib, to change what is drawn."""

    figure: Any

    def _repr_png_(self) -> bytes:
        stream = BytesIO()
        self.figure.savefig(stream, format="png", dpi=120)
        return stream.getvalue()

    def save(self, path: str | Path) -> Path:
        """Write it to a file: PNG, SVG or PDF, by the ending of `path`."""
        self.figure.savefig(path)
        return Path(path)


@dataclass(frozen=True)
class TrainingRun:
    """A bundle that was trained, and how that went; all of it can be read again with `read_run`.

    Attributes:
        bundle: The bundle as written and read back.
        config: What it was trained by.
        epochs: For each epoch its figures on the validation split and the mean of each loss, as in
            `epoch_metrics.csv`; empty for a bundle that was only calibrated.
        chosen: The epoch of each choice ("best", "best_utility", ...), counted from 1.
        evaluation: On the test split.
    """

    bundle: Bundle
    config: RunConfig
    epochs: tuple[Mapping[str, float], ...]
    chosen: Mapping[str, int]
    evaluation: BundleEvaluation

    @property
    def path(self) -> Path:
        """The bundle's folder."""
        return self.bundle.path

    @property
    def notes(self) -> list[str]:
        """What to know about the data and about what was not possible."""
        return list(self.evaluation.evaluation.notes)

    @property
    def losses(self) -> dict[str, list[float]]:
        """Each loss by its name, "loss" their weighted sum: its mean over each epoch."""
        names = dict.fromkeys(name for row in self.epochs for name in row if name.startswith("train_"))
        return {
            name.removeprefix("train_"): [row[name] for row in self.epochs if name in row] for name in names
        }

    def __repr__(self) -> str:
        manifest = self.bundle.manifest
        return (
            f"<TrainingRun {manifest.name} {manifest.version}, {len(self.epochs)} epochs, threshold "
            f"{self.bundle.decision.threshold:g}, {self.path}>"
        )

    def to_frame(self) -> Any:
        """A pandas DataFrame with a row for each epoch; `chosen_as` names the choices that fell on it."""
        return data_frame(
            [
                {
                    **row,
                    "epoch": int(row["epoch"]),
                    "step": int(row["step"]),
                    "chosen_as": ", ".join(name for name, at in self.chosen.items() if at == row["epoch"]),
                }
                for row in self.epochs
            ]
        )

    def load(self, **options: Any) -> Model:
        """Load the bundle; `options` as those of `evenmatch.load`."""
        return load(self.path, **options)

    def plot(self) -> Plot:
        """The losses, and utility beside fairness on the validation split, by epoch.

        Raises `ImportError` without matplotlib, `BundleError` if nothing was trained.
        """
        if not self.epochs:
            raise BundleError(f"{self.path}: nothing was trained, so there are no epochs to draw")
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError("plots need matplotlib: pip install matplotlib", name="matplotlib") from error
        figure = Figure(figsize=(10, 3.6), layout="constrained")
        of_losses, of_figures = figure.subplots(1, 2)
        epochs = [row["epoch"] for row in self.epochs]
        for name, values in self.losses.items():
            of_losses.plot(epochs, values, marker="o", label=name)
        of_losses.set(title="losses on the training split", xlabel="epoch")
        for name, label in (
            ("pr_auc", "PR-AUC (higher is better)"),
            ("overall_fairness_score", "fairness score (lower is better)"),
            ("counterfactual_shift_sd", "shift under names / sd (lower is better)"),
        ):
            of_figures.plot(epochs, [row.get(name) for row in self.epochs], marker="o", label=label)
        of_figures.set(title="validation split", xlabel="epoch", ylim=(0, None))
        for axes in (of_losses, of_figures):
            axes.set_xticks(epochs)
            axes.legend(fontsize="small")
        return Plot(figure)


def train(
    config: Config,
    frame: Frame | Mapping[str, Frame] | None = None,
    *,
    output: str | Path,
    work: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = True,
    **columns: Unpack[Columns],
) -> TrainingRun:
    """Train, erase, calibrate, choose the threshold, evaluate, and write a bundle (docs/training.md).

    Args:
        config: A YAML file, the name of a shipped recipe ("minilm-fair"), a mapping with the same keys, or a
            `RunConfig`.
        frame: The pairs, in place of those that the configuration names: a DataFrame of pandas or polars with
            a resume, a job and a label a row, which is split here; or a frame for each split, as
            `{"train": ..., "test": ...}`. No copy of it is written to disk. None: the configuration's data.
        output: Folder of the bundle.
        work: Folder for checkpoints, by default `<output>.work`. Weights and figures, no texts.
        resume: Go on from the last checkpoint of an interrupted run, to the same result; with the same frame.
        overwrite: Replace a bundle that is there.
        progress: Show a progress bar and say what is done.
        columns: What the frame's columns are called, as `resume_column="cv"` and
            `group_columns={"sex": "gender"}`; the rest is as `data.files.columns` says, or guessed.

    Raises:
        ConfigError: A key is wrong, missing or unknown.
        DataError: The pairs cannot train; rows, counted from 1, and columns are named, never a text.
        BundleError: Something else stands at `output`.
        TrainingError: The run cannot go on.
    """
    from service.core.encoder import silence_transformers
    from training.pipeline.run import RunOptions, make_bundle

    content, place = _content(config)
    rows = None
    if frame is not None:
        rows = tables_of(frame)
        files = dict((content.get("data") or {}).get("files") or {})
        content = {**content, "data": {"files": data_config(rows, files, columns_given(columns))}}
    elif columns:
        raise TypeError(f"{next(iter(columns))} is for a data frame, and none is given")
    checked = check_run_config(content, place)
    target = Path(output)
    silence_transformers()
    with _Progress(shown=progress) as shown:
        dataset = None
        if rows is not None:
            assert checked.data.files is not None
            dataset = load_user_data(checked.data.files, rows)
        options = RunOptions(
            Path(work) if work is not None else Path(f"{target.resolve()}.work"),
            resume=resume,
            overwrite=overwrite,
            say=shown.say,
            watcher=shown,
        )
        bundle = make_bundle(checked, target, options, dataset)
        if bundle is None:
            raise BundleError(
                "this process only trains along with others: use `evenmatch-train run` with a launcher"
            )
        shown.say(f"wrote {bundle.path} ({bundle.makeup}), threshold {bundle.decision.threshold}")
    return read_run(bundle.path)


def read_run(bundle: str | Path) -> TrainingRun:
    """How a bundle was trained, from what stands in its folder.

    Raises `BundleError` if the bundle is damaged or was not made by a training run.
    """
    read = read_bundle(Path(bundle))
    if TRAINING_CONFIG not in read.manifest.files:
        raise BundleError(f"{read.path} has no {TRAINING_CONFIG}: it was not made by a training run")
    config = RunConfig.model_validate_json((read.path / TRAINING_CONFIG).read_bytes())
    history: dict[str, Any] = {"epochs": [], "chosen": {}}
    if JSON_FILE in read.manifest.files:
        history = json.loads((read.path / JSON_FILE).read_bytes())
    return TrainingRun(
        read, config, tuple(history["epochs"]), history["chosen"], BundleEvaluation(read_metrics(read.path))
    )


def _content(config: Config) -> tuple[dict[str, Any], str]:
    """The configuration as keys and values, with only those that were given, and what errors call it."""
    if isinstance(config, RunConfig):
        return config.model_dump(exclude_unset=True), "the configuration"
    if isinstance(config, Mapping):
        return dict(config), "the configuration"
    shipped = CONFIGS / f"{config}.yaml"
    file = shipped if isinstance(config, str) and "/" not in config and shipped.is_file() else Path(config)
    return read_yaml(file), str(file)


class _Progress:
    """A bar of the training steps, in a terminal or a notebook, with messages above it."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bar: Any = None

    def __enter__(self) -> _Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    def say(self, message: str) -> None:
        if not self._shown:
            return
        if self._bar is not None and self._bar.n >= self._bar.total:
            self._close()
        _tqdm().write(message)

    def stepped(self, done: int, total: int) -> None:
        if not self._shown:
            return
        if self._bar is None or done < self._bar.n:  # the next fold of cross-fitting begins
            self._close()
            self._bar = _tqdm()(total=total, desc="training", unit="step")
        self._bar.update(done - self._bar.n)

    def validated(self, figures: Mapping[str, float]) -> None:
        if self._bar is not None:
            self._bar.set_postfix(
                epoch=int(figures["epoch"]),
                loss=round(figures.get("train_loss", float("nan")), 3),
                pr_auc=round(figures["pr_auc"], 3),
            )

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _tqdm() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without ipywidgets it says that its bar is plain text
        from tqdm.auto import tqdm
    return tqdm
