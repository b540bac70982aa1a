"""Bundles on resumes and postings from elsewhere, beside baselines, as `evenmatch-train evaluate` does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

from evenmatch.audits import save_report
from evenmatch.frames import Frame, data_frame, rows_of
from evenmatch.measuring import loaded_as_served
from evenmatch.model import settings_for
from service.core.errors import InputError
from training.evaluation.external.checks import check_classes
from training.evaluation.external.evaluate import ExternalOptions
from training.evaluation.external.evaluate import evaluate_external as evaluate_set
from training.evaluation.external.given_documents import ExternalColumns
from training.evaluation.external.given_table import Findings, GivenTable
from training.evaluation.external.labelled_set import LabelledSet
from training.evaluation.external.pair_reading import read_labelled_pairs
from training.evaluation.external.plain_base import load_plain_base
from training.evaluation.external.pool_reading import read_pool
from training.evaluation.external.schema import ExternalEvaluation, Figure, SystemReport
from training.report.external import external_html


class PoolColumns(TypedDict, total=False):
    """Keywords that name columns. What is not named is guessed; `category_column`: of both frames."""

    resume_column: str
    job_column: str
    label_column: str
    title_column: str
    resume_id_column: str
    job_id_column: str
    category_column: str
    resume_category_column: str
    posting_category_column: str
    group_columns: Mapping[str, str] | Sequence[str]


@dataclass(frozen=True)
class ExternalReport:
    """What bundles and baselines do on data from elsewhere. Numbers, ids, categories; no text.

    Attributes:
        evaluation: All of it, as in the JSON of `evenmatch-train evaluate`.

    Tables are pandas DataFrames. Intervals are 95 % from resamples of resumes (`resumes_low`,
    `resumes_high`), of postings, and of both (`low`, `high`), which is the one to go by.
    """

    evaluation: ExternalEvaluation

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed, left out, and what is doubtful with the data."""
        return tuple(self.evaluation.notes)

    def ranking(self) -> Any:
        """A row for each way to score and figure, with the difference to the first bundle."""
        rows = []
        for system in self.evaluation.systems:
            for name, figure in system.ranking.items():
                other = system.differences.get(name)
                both = None if other is None else other.by_both
                rows.append(
                    {
                        "scores": system.name,
                        "figure": name,
                        **_row(figure),
                        "difference": None if other is None else other.value,
                        "from": None if both is None else both.low,
                        "to": None if both is None else both.high,
                    }
                )
        return data_frame(rows)

    def decisions(self) -> Any:
        """What one threshold does: the bundle's own, and the lowest one that reaches the precision."""
        rows = []
        for system in self.evaluation.systems:
            for kind, point in (("bundle", system.at_threshold), ("precision", system.at_precision)):
                if point is not None:
                    rows += [
                        {
                            "scores": system.name,
                            "threshold_of": kind,
                            "threshold": point.threshold,
                            "figure": name,
                            **_row(figure),
                        }
                        for name, figure in point.figures.items()
                    ]
        return data_frame(rows)

    def probabilities(self) -> Any:
        """Brier score, its skill, calibration error and logistic fit, as shipped and at the set's share."""
        rows = []
        for system in self.evaluation.systems:
            if system.calibration is not None:
                parts = (system.calibration.as_shipped, system.calibration.at_prevalence)
                for kind, part in zip(("as_shipped", "at_prevalence"), parts, strict=True):
                    rows += [
                        {
                            "scores": system.name,
                            "probabilities": kind,
                            "prevalence": part.prevalence,
                            "figure": name,
                            **_row(figure),
                        }
                        for name, figure in part.figures.items()
                    ]
        return data_frame(rows)

    def categories(self, bundle: int = 0) -> Any:
        """ROC-AUC and average precision by category of the posting, of the bundle at that place."""
        rows = [
            {
                "category": of.category,
                "postings": of.postings,
                "resumes": of.resumes,
                "matches": of.matches,
                "figure": name,
                **_row(figure),
            }
            for of in self._bundle(bundle).categories
            for name, figure in (("roc_auc", of.roc_auc), ("average_precision", of.average_precision))
        ]
        return data_frame(rows)

    def errors(self, bundle: int = 0) -> Any:
        """The worst missed matches and the worst false ones, of the bundle at that place."""
        return data_frame([error.model_dump() for error in self._bundle(bundle).errors])

    def groups(self, bundle: int = 0) -> Any:
        """Rates of each group at the threshold of the bundle at that place."""
        rows = [
            {
                "attribute": of.attribute,
                "group": group.group,
                "compared": group.compared,
                "figure": name,
                **_row(f),
            }
            for of in self._bundle(bundle).groups
            for group in of.groups
            for name, f in group.figures.items()
        ]
        return data_frame(rows)

    def to_html(self) -> str:
        """The report with plots, one HTML file that needs nothing else."""
        return external_html(self.evaluation)

    def to_json(self) -> str:
        """All figures as JSON."""
        return self.evaluation.model_dump_json(indent=2) + "\n"

    def save(self, path: str | Path) -> Path:
        """Write the report, readable by its owner only: HTML or JSON, by the ending of `path`."""
        return save_report(path, html=self.to_html, json=self.to_json)

    def __repr__(self) -> str:
        data = self.evaluation.data
        names = ", ".join(system.name for system in self.evaluation.systems if system.kind == "bundle")
        return f"<ExternalReport of {names} on {data.pairs:,} pairs, {data.matches:,} matches>"

    def _bundle(self, place: int) -> SystemReport:
        bundles = [system for system in self.evaluation.systems if system.kind == "bundle"]
        if not 0 <= place < len(bundles):
            raise InputError(f"bundle is {place}; there are {len(bundles)}, from 0", field="bundle")
        return bundles[place]


def evaluate_external(
    bundles: str | Path | Sequence[str | Path],
    pairs: Frame | None = None,
    *,
    resumes: Frame | None = None,
    postings: Frame | None = None,
    category_map: Mapping[str, Sequence[str]] | None = None,
    redact: bool = True,
    baselines: bool = True,
    drop_repeats: bool = False,
    precision: float = 0.75,
    errors: int = 30,
    minimum: int = 30,
    rounds: int = 500,
    seed: int = 0,
    **columns: Unpack[PoolColumns],
) -> ExternalReport:
    """Measure bundles on data from elsewhere, beside TF-IDF, BM25, one vector a document and the base model.

    Args:
        bundles: Name of a shipped bundle or a folder, or several; the others are set against the first.
        pairs: Labelled pairs, a row for each; or
        resumes: resumes with a category each, and
        postings: postings with a category each or several, parted by `;`: all pairs, a match by a shared one.
        category_map: Category of resumes to those of postings, where they are called differently.
        redact: Score as the bundle's policy redacts.
        baselines: Score the baselines, too.
        drop_repeats: Count resumes of the same text once.
        precision: What one threshold does that reaches it.
        errors: Worst missed matches, and worst false ones, to list.
        minimum: Pairs that a group's rate must stand on to be compared.
        rounds: Resamples for the intervals.
        seed: Of the resamples.
        columns: What the columns are called.

    Raises `DataFormatError` for columns that are wrong, `DataError` for one class only, `BundleError`,
    `EngineError`. Rows at fault are left out and named in `notes`.
    """
    options = ExternalOptions(
        redact=redact,
        rounds=rounds,
        seed=seed,
        precision=precision,
        errors=errors,
        minimum=minimum,
        drop_repeats=drop_repeats,
        baselines=baselines,
    )
    given = [bundles] if isinstance(bundles, str | Path) else list(bundles)
    findings = Findings()
    data = _given(pairs, resumes, postings, category_map, _columns(columns), findings)
    check_classes(data)
    outcome = evaluate_set(
        [settings_for(bundle).model.bundle_path for bundle in given],
        data,
        findings,
        sources=("a data frame", "a data frame"),
        load=loaded_as_served,
        load_base=load_plain_base,
        options=options,
        say=lambda _: None,
        progress=lambda *_: None,
    )
    return ExternalReport(outcome.evaluation)


def _given(
    pairs: Frame | None,
    resumes: Frame | None,
    postings: Frame | None,
    category_map: Mapping[str, Sequence[str]] | None,
    columns: ExternalColumns,
    findings: Findings,
) -> LabelledSet:
    if pairs is not None and resumes is None and postings is None:
        return read_labelled_pairs(GivenTable.of_rows("pairs", rows_of(pairs)), columns, findings)
    if pairs is not None or resumes is None or postings is None:
        raise InputError("give pairs, or resumes and postings", field="pairs")
    mapped = (
        None
        if category_map is None
        else {
            " ".join(name.split()).casefold(): [others] if isinstance(others, str) else list(others)
            for name, others in category_map.items()
        }
    )
    tables = (
        GivenTable.of_rows("resumes", rows_of(resumes)),
        GivenTable.of_rows("postings", rows_of(postings)),
    )
    return read_pool(*tables, columns, mapped, findings)


def _columns(given: PoolColumns) -> ExternalColumns:
    unknown = sorted(set(given).difference(PoolColumns.__annotations__))
    if unknown:
        raise TypeError(f"{unknown[0]} is no keyword; columns are {', '.join(PoolColumns.__annotations__)}")
    groups = given.get("group_columns")
    if isinstance(groups, str):
        raise InputError("group_columns must be a list of columns, or a mapping", field="group_columns")
    named = groups if groups is None or isinstance(groups, Mapping) else {name: name for name in groups}
    return ExternalColumns(
        resume=given.get("resume_column"),
        job=given.get("job_column"),
        label=given.get("label_column"),
        title=given.get("title_column"),
        resume_id=given.get("resume_id_column"),
        job_id=given.get("job_id_column"),
        category=given.get("category_column"),
        resume_category=given.get("resume_category_column"),
        posting_category=given.get("posting_category_column"),
        groups=named,
    )


def _row(figure: Figure) -> dict[str, Any]:
    found: dict[str, Any] = {"value": figure.value, "n": figure.n, "reason": figure.reason}
    for prefix, interval in (
        ("", figure.by_both),
        ("resumes_", figure.by_resume),
        ("postings_", figure.by_posting),
    ):
        found[f"{prefix}low"] = None if interval is None else interval.low
        found[f"{prefix}high"] = None if interval is None else interval.high
    return found
