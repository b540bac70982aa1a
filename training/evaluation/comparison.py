"""Bundles side by side: from their `metrics.json`, or re-evaluated on the same pairs.

Two bundles' intervals may overlap although one is better on nearly every resample of the jobs, since both
find the same jobs hard. So on shared pairs the differences themselves are bootstrapped, with the same
jobs drawn for both (paired bootstrap).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from service.core.bundle import Bundle, read_bundle
from service.core.engines.loading import LoadedModel
from service.core.errors import BundleError, CountError
from service.core.matching import Matcher
from training.evaluation.evaluate import EvaluationOptions, evaluate_pairs, subject_of
from training.evaluation.parity import GroupRates
from training.evaluation.resampling import JobResamples, estimate
from training.evaluation.schema import Estimate, Evaluation
from training.evaluation.scored_pairs import Floats, ScoredPairs
from training.evaluation.scoring import LabelledExample, score_examples
from training.evaluation.utility import decision_samples, job_rankings

METRICS_FILE = "metrics.json"

Better = Literal["higher", "lower", "neither"]

_HIGHER = {
    "roc_auc", "pr_auc", "macro_roc_auc", "macro_pr_auc", "accuracy", "balanced_accuracy", "f1", "precision",
    "recall", "mean_reciprocal_rank", "impact_ratio", "min_max_ratio",
}  # fmt: skip
_NEITHER = {"selection_rate", "mean_signed_shift"}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ComparedBundle(_Part):
    """A bundle and the data that its figures come from."""

    path: str
    name: str
    version: str
    digest: str
    data: str
    data_digest: str
    pairs: int
    jobs: int
    resumes: int


class ComparedFigure(_Part):
    """One figure of every bundle, None where a bundle's evaluation has none.

    `differences`: of each bundle minus the first, by paired bootstrap; empty without shared pairs.
    """

    name: str
    better: Better
    values: list[Estimate | None]
    differences: list[Estimate]


class BundleComparison(_Part):
    """`same_data`: all were evaluated on the same pairs, so that their figures may be set side by side."""

    schema_version: Literal["evenmatch.comparison/1"] = "evenmatch.comparison/1"
    same_data: bool
    bundles: list[ComparedBundle]
    figures: list[ComparedFigure]
    notes: list[str]


def compare_metrics(paths: Sequence[Path]) -> BundleComparison:
    """Put the bundles' own `metrics.json` side by side.

    Raises `CountError` for fewer than two, and `BundleError` for a bundle that is damaged or whose
    metrics are no `Evaluation`.
    """
    _check_count(paths)
    bundles = [read_bundle(path) for path in paths]
    evaluations = [read_metrics(path) for path in paths]
    return _side_by_side(bundles, evaluations, {})


def compare_on(
    paths: Sequence[Path],
    examples: Sequence[LabelledExample],
    load: Callable[[Bundle], LoadedModel],
    *,
    data: str,
    options: EvaluationOptions | None = None,
) -> BundleComparison:
    """Evaluate all bundles on `examples` and bootstrap the differences to the first one.

    `load` makes a bundle's engine. Raises `CountError` for fewer than two bundles, `BundleError`, and
    an `InputError` for an unusable text.
    """
    _check_count(paths)
    options = options or EvaluationOptions()
    bundles = [read_bundle(path) for path in paths]
    evaluations: list[Evaluation] = []
    samples: list[dict[str, Floats]] = []
    for bundle in bundles:
        loaded = load(bundle)
        matcher = Matcher(bundle, loaded.tokenizer, keeps_names=True)
        pairs = score_examples(matcher, loaded, examples, redact=options.redact)
        probabilities = pairs.probabilities(bundle.calibration)
        subject = subject_of(bundle, loaded, redact=options.redact)
        evaluations.append(evaluate_pairs(pairs, probabilities, subject, data=data, options=options))
        samples.append(key_samples(pairs, probabilities, bundle.decision.threshold, options))
        loaded.engine.close()
    first = key_figures(evaluations[0])
    differences = {
        name: [
            estimate(of[name] - samples[0][name], first[name].n, "not computable for one of the two")
            for of in samples[1:]
        ]
        for name in samples[0]
    }
    return _side_by_side(bundles, evaluations, differences)


def key_figures(evaluation: Evaluation) -> dict[str, Estimate]:
    """The figures that bundles are compared by, named `part/...`: of the last judgement's labels."""
    judged = evaluation.judgements[-1]
    found = {f"utility/{name}": of for name, of in judged.utility.items()}
    found["parity/fairness_score"] = judged.fairness_score
    found["parity/balanced_fairness_score"] = judged.balanced_fairness_score
    for attribute in judged.attributes:
        for name, of in attribute.differences.items():
            found[f"parity/{attribute.attribute}/{name}"] = of
    for audit in evaluation.audits:
        kind = f"audit/{'redacted' if audit.redact else 'not_redacted'}"
        if audit.control is not None:
            found[f"{kind}/control/mean_shift"] = audit.control.figures["mean_shift"]
        for audited in audit.attributes:
            found[f"{kind}/{audited.attribute}/min_max_ratio"] = audited.min_max_ratio
            for arm in audited.groups:
                for name in ("mean_shift", "shift_over_sd", "flip_rate"):
                    found[f"{kind}/{audited.attribute}/{arm.group}/{name}"] = arm.figures[name]
    for kind, shift in evaluation.shifts.items():
        for name, of in shift.figures.items():
            found[f"{kind}/{name}"] = of
    return found


def key_samples(
    pairs: ScoredPairs, probabilities: Floats, threshold: float, options: EvaluationOptions
) -> dict[str, Floats]:
    """Key figures in every resample; the same seed draws the same jobs for every bundle."""
    pairs = pairs.with_intersections(options.intersections)
    resamples = JobResamples(pairs, options.rounds, np.random.default_rng(options.seed))
    labels = pairs.labels if pairs.true_labels is None else pairs.true_labels
    found = {
        f"utility/{name}": of
        for name, of in decision_samples(pairs, labels, probabilities, resamples, threshold).items()
    }
    for name, values in job_rankings(pairs, labels).items():
        found[f"utility/{name}"] = resamples.job_means(values)
    crossings = {f"{a}_{b}" for a, b in options.intersections}
    for attribute in pairs.groups:
        if pairs.group_names(attribute):
            rates = GroupRates.of(pairs, labels, probabilities >= threshold, attribute, resamples)
            for name, of in rates.difference_samples(options.minimum).items():
                found[f"parity/{attribute}/{name}"] = of
            for kind, name in ((False, "fairness_score"), (True, "balanced_fairness_score")):
                if attribute not in crossings:
                    worst = rates.fairness_samples(options.minimum, balanced=kind)
                    key = f"parity/{name}"
                    found[key] = np.fmax(found[key], worst) if key in found else worst
    return found


def _side_by_side(
    bundles: Sequence[Bundle],
    evaluations: Sequence[Evaluation],
    differences: dict[str, list[Estimate]],
) -> BundleComparison:
    tables = [key_figures(evaluation) for evaluation in evaluations]
    names = dict.fromkeys(name for table in tables for name in table)
    same = len({evaluation.data.digest for evaluation in evaluations}) == 1
    notes = (
        []
        if same
        else [
            "The bundles were evaluated on different pairs: their figures may differ for that alone. "
            "Compare them on the same pairs (--data)."
        ]
    )
    if same and len({(e.subject.redact, e.minimum) for e in evaluations}) > 1:
        notes.append("The bundles were evaluated with different settings (redaction, smallest groups).")
    return BundleComparison(
        same_data=same,
        bundles=[
            ComparedBundle(
                path=str(bundle.path),
                name=bundle.manifest.name,
                version=bundle.manifest.version,
                digest=bundle.digest,
                data=evaluation.data.description,
                data_digest=evaluation.data.digest,
                pairs=evaluation.data.pairs,
                jobs=evaluation.data.jobs,
                resumes=evaluation.data.resumes,
            )
            for bundle, evaluation in zip(bundles, evaluations, strict=True)
        ],
        figures=[
            ComparedFigure(
                name=name,
                better=_better(name),
                values=[table.get(name) for table in tables],
                differences=differences.get(name, []),
            )
            for name in names
        ],
        notes=notes,
    )


def _better(name: str) -> Better:
    last = name.rsplit("/", 1)[-1]
    if last in _NEITHER:
        return "neither"
    return "higher" if last in _HIGHER or "_at_" in last else "lower"


def _check_count(paths: Sequence[Path]) -> None:
    if len(paths) < 2:
        raise CountError(
            f"{len(paths)} bundle to compare; two at least are needed",
            field="bundles",
            limit=2,
            actual=len(paths),
        )


def read_metrics(path: Path) -> Evaluation:
    """What the bundle at `path` was measured to be. Raises `BundleError` if that is missing or damaged."""
    file = path / METRICS_FILE
    try:
        return Evaluation.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise BundleError(f"{file} is missing: compare on labelled pairs instead (--data)") from None
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"]) or "the file"
        raise BundleError(
            f"{file} is no evaluation ({where}): compare on labelled pairs instead (--data)"
        ) from None
