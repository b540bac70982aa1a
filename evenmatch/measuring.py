"""Evaluation of bundles on labelled pairs, and on pairs before and after a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from evenmatch.audits import save_report
from evenmatch.columns import Columns, tables_of, user_data
from evenmatch.frames import Frame, data_frame, rows_of
from evenmatch.model import settings_for
from service.core.bundle import Bundle, read_bundle
from service.core.engines.loading import EngineOptions, LoadedModel, load_model
from service.core.errors import InputError
from service.runtime.devices import choose_engine, usable_cores
from training.data.example import Example
from training.data.user_data import load_unsplit
from training.evaluation.comparison import BundleComparison, compare_on
from training.evaluation.evaluate import EvaluationOptions, evaluate_bundle
from training.evaluation.given_pairs import PairColumns, measure_pairs, read_pairs
from training.evaluation.schema import Estimate, Evaluation, Judgement, PairsReport
from training.report.counterfactual_pairs import counterfactual_pairs_html
from training.report.html import comparison_html, report_html

_FIGURE = ["figure", "value", "low", "high", "n", "reason"]


@dataclass(frozen=True)
class BundleEvaluation:
    """What a bundle does on labelled pairs. Numbers, ids and names of groups; no text.

    Attributes:
        evaluation: All of it, as in `metrics.json`.

    Tables are pandas DataFrames: `value` with its 95 % interval `low` to `high` from resamples of jobs, what
    it stands on (`n`), and the `reason` where there is no number. They judge by the labels that were given,
    or with `labels="true"` by those from before a known bias, which synthetic data has.
    """

    evaluation: Evaluation

    def utility(self, labels: str = "given") -> Any:
        """How well scores find the matches, and calibration: a row for each figure."""
        return figures_frame(self._judged(labels).utility)

    def groups(self, labels: str = "given") -> Any:
        """Rates and calibration of each group: a row for each attribute, group and figure."""
        rows = [
            {"attribute": attribute.attribute, "group": group.group, "compared": group.compared, **row}
            for attribute in self._judged(labels).attributes
            for group in attribute.groups
            for row in _rows(group.figures)
        ]
        return data_frame(rows, ["attribute", "group", "compared", *_FIGURE])

    def differences(self, labels: str = "given") -> Any:
        """Largest less smallest rate of the groups that are large enough, by attribute."""
        rows = [
            {"attribute": attribute.attribute, **row}
            for attribute in self._judged(labels).attributes
            for row in _rows(attribute.differences)
        ]
        return data_frame(rows, ["attribute", *_FIGURE])

    def exposure(self) -> Any:
        """Each group's share of first places over its share of the candidates, by attribute."""
        rows = [
            {"attribute": attribute.attribute, "group": group.group, **row}
            for attribute in self._judged("given").attributes
            for group in attribute.groups
            for row in _rows(group.exposure)
        ]
        return data_frame(rows, ["attribute", "group", *_FIGURE])

    def to_html(self) -> str:
        """`fairness_report.html`: with plots, one file that needs nothing else."""
        return report_html(self.evaluation)

    def to_json(self) -> str:
        """`metrics.json`."""
        return self.evaluation.model_dump_json(indent=2) + "\n"

    def save(self, path: str | Path) -> Path:
        """Write the report, readable by its owner only: HTML or JSON, by the ending of `path`."""
        return save_report(path, html=self.to_html, json=self.to_json)

    def __repr__(self) -> str:
        data, subject = self.evaluation.data, self.evaluation.subject
        return (
            f"<BundleEvaluation of {subject.bundle} {subject.version} on {data.pairs:,} pairs of "
            f"{data.jobs:,} jobs>"
        )

    def _judged(self, labels: str) -> Judgement:
        found = {judged.labels: judged for judged in self.evaluation.judgements}
        if labels not in found:
            raise InputError(f"labels are {' or '.join(found)} here, not {labels}", field="labels")
        return found[labels]


@dataclass(frozen=True)
class PairShifts:
    """How far scores and decisions move between the texts of counterfactual pairs.

    Attributes:
        report: All of it, as in the JSON of `evenmatch-train counterfactual`.
        notes: What was guessed, and what a careful user should know.
    """

    report: PairsReport
    notes: tuple[str, ...]

    def to_frame(self) -> Any:
        """A pandas DataFrame with a row for each figure."""
        return figures_frame(self.report.figures)

    def to_html(self) -> str:
        """The report with plots, one HTML file that needs nothing else."""
        return counterfactual_pairs_html(self.report)

    def to_json(self) -> str:
        """All figures as JSON."""
        return self.report.model_dump_json(indent=2) + "\n"

    def save(self, path: str | Path) -> Path:
        """Write the report, readable by its owner only: HTML or JSON, by the ending of `path`."""
        return save_report(path, html=self.to_html, json=self.to_json)


@dataclass(frozen=True)
class Comparison:
    """Bundles side by side on the same pairs.

    Attributes:
        comparison: All of it, as in the JSON of `evenmatch-train compare`.
    """

    comparison: BundleComparison

    def to_frame(self) -> Any:
        """A pandas DataFrame: a row for each figure and bundle.

        `difference` to the first bundle with its 95 % interval `from` to `to`, by paired bootstrap over jobs.
        """
        rows = []
        bundles = self.comparison.bundles
        for figure in self.comparison.figures:
            for place, (bundle, value) in enumerate(zip(bundles, figure.values, strict=True)):
                other = figure.differences[place - 1] if place and figure.differences else None
                rows.append(
                    {
                        "figure": figure.name,
                        "better": figure.better,
                        "bundle": f"{bundle.name} {bundle.version}",
                        "value": None if value is None else value.value,
                        "n": None if value is None else value.n,
                        "difference": None if other is None else other.value,
                        "from": None if other is None else other.low,
                        "to": None if other is None else other.high,
                    }
                )
        return data_frame(rows)

    def save(self, path: str | Path) -> Path:
        """Write the comparison, readable by its owner only: HTML or JSON, by the ending of `path`."""
        return save_report(
            path,
            html=lambda: comparison_html(self.comparison),
            json=lambda: self.comparison.model_dump_json(indent=2) + "\n",
        )


def evaluate(
    bundle: str | Path,
    frame: Frame,
    *,
    redact: bool = True,
    minimum: int = 30,
    rounds: int = 500,
    seed: int = 0,
    **columns: Unpack[Columns],
) -> BundleEvaluation:
    """Evaluate a bundle on labelled pairs, with the engine that would serve it here.

    Args:
        bundle: Name of a shipped bundle, or a bundle's folder.
        frame: A row for each pair; all of them are used, so they must not be those it was trained on.
        redact: Score as the service does by default.
        minimum: Pairs that a group's rate must stand on to be compared.
        rounds: Resamples of jobs for the intervals.
        seed: Of the resamples.
        columns: What the columns are called, as in `train`.

    Raises `DataFormatError` for columns and cells that are wrong, `BundleError`, `EngineError`.
    """
    examples = _examples(frame, columns)
    read = read_bundle(settings_for(bundle).model.bundle_path)
    loaded = loaded_as_served(read)
    try:
        found = evaluate_bundle(
            read,
            loaded,
            examples,
            data="a data frame",
            options=EvaluationOptions(minimum=minimum, rounds=rounds, seed=seed, redact=redact),
        )
    finally:
        loaded.engine.close()
    return BundleEvaluation(found)


def compare(
    bundles: Sequence[str | Path],
    frame: Frame,
    *,
    redact: bool = True,
    minimum: int = 30,
    rounds: int = 500,
    seed: int = 0,
    **columns: Unpack[Columns],
) -> Comparison:
    """Evaluate bundles on the same labelled pairs; arguments as those of `evaluate`."""
    paths = [settings_for(bundle).model.bundle_path for bundle in bundles]
    return Comparison(
        compare_on(
            paths,
            _examples(frame, columns),
            loaded_as_served,
            data="a data frame",
            options=EvaluationOptions(minimum=minimum, rounds=rounds, seed=seed, redact=redact),
        )
    )


def shifts_of_pairs(
    bundle: str | Path,
    frame: Frame,
    *,
    original_column: str | None = None,
    counterfactual_column: str | None = None,
    job_column: str | None = None,
    title_column: str | None = None,
    redact: bool = True,
    rounds: int = 500,
    seed: int = 0,
) -> PairShifts:
    """How far a bundle's scores and decisions move between resumes and their changed versions.

    As `evenmatch-train counterfactual`, with the engine that would serve the bundle here: a row of `frame`
    holds a job and a resume before and after a change. Columns that are not named are `original`,
    `counterfactual` and `job`, or what people would call so. Raises as `evaluate`.
    """
    columns = PairColumns(original_column, counterfactual_column, job_column, title_column)
    given = read_pairs(rows_of(frame), "the data frame", columns)
    read = read_bundle(settings_for(bundle).model.bundle_path)
    loaded = loaded_as_served(read)
    try:
        report = measure_pairs(read, loaded, given, rounds=rounds, seed=seed, redact=redact)
    finally:
        loaded.engine.close()
    return PairShifts(report, tuple(given.notes))


def figures_frame(figures: Mapping[str, Estimate]) -> Any:
    """A pandas DataFrame with a row for each figure."""
    return data_frame(_rows(figures), _FIGURE)


def _rows(figures: Mapping[str, Estimate]) -> list[dict[str, Any]]:
    return [
        {"figure": name, "value": of.value, "low": of.low, "high": of.high, "n": of.n, "reason": of.reason}
        for name, of in figures.items()
    ]


def _examples(frame: Frame, columns: Columns) -> list[Example]:
    rows = tables_of(frame)
    examples, _ = load_unsplit(user_data(rows, columns), rows)
    return examples


def loaded_as_served(bundle: Bundle) -> LoadedModel:
    """The engine that `evenmatch.load` would take."""
    options = settings_for(bundle.path).runtime
    choice = choose_engine(options.model.engine)
    return load_model(
        bundle,
        EngineOptions(
            name=choice.name,
            device=choice.device,
            threads=options.model.threads or usable_cores(),
            cache=options.cache,
            base_model=options.model.base_model,
            ready=options.model.models_dir,
        ),
    )
