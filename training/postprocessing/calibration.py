"""Calibration, fitted on scores of the reloaded bundle's own encoder.

A method is chosen by a proper score (log loss, or the Brier score) of probabilities for jobs that it was
not fitted on: cross-validation with whole jobs left out, since the pairs of one job stand or fall together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from service.core.calibration import (
    MAX_KNOTS,
    Calibration,
    CalibrationCurve,
    IsotonicCurve,
    Method,
    TemperatureCurve,
)
from service.core.calibration_fit import check_two_classes, fit_platt
from service.core.errors import CalibrationError
from service.core.scoring import SCORE_DECIMALS
from training.evaluation.scored_pairs import Flags, Floats, Labels, ScoredPairs
from training.evaluation.utility import ProperScore, proper_losses

_SHARPEST, _FLATTEST = 1e-4, 1e4
"""Bounds of the temperature, in units of raw_score; those of real bundles are about 0.02 to 0.05."""

_LEAST = 10
"""Matches, and others, that a kind of job needs for a curve of its own if the other kind has as many."""


def fit_temperature(raw_scores: Floats, labels: Labels) -> TemperatureCurve:
    """The temperature of the highest likelihood, around the centre between the two classes' means.

    One parameter is fitted where Platt scaling fits two: see `TemperatureCurve` for the form. Raises
    `CalibrationError` if only one class is present, or if matches do not score higher.
    """
    check_two_classes(labels)
    matches, others = raw_scores[labels == 1], raw_scores[labels == 0]
    if matches.mean() <= others.mean():
        raise _not_higher()
    centre = float(matches.mean() + others.mean()) / 2
    prevalence = float(labels.mean())
    prior = float(np.log(prevalence / (1 - prevalence)))
    distances = raw_scores - centre

    def slope_of_likelihood(inverse: float) -> float:
        return float(np.sum(distances * (labels - expit(distances * inverse + prior))))

    # Log likelihood is concave in 1/T, so its slope falls and crosses 0 once, or not within the bounds.
    low, high = 1 / _FLATTEST, 1 / _SHARPEST
    if slope_of_likelihood(high) >= 0:
        inverse = high
    elif slope_of_likelihood(low) <= 0:
        raise _not_higher()
    else:
        inverse = float(brentq(slope_of_likelihood, low, high, rtol=1e-10))
    return TemperatureCurve(
        temperature=round(1 / inverse, 8), centre=round(centre, 6), prior_log_odds=round(prior, 6)
    )


def fit_isotonic(raw_scores: Floats, labels: Labels) -> IsotonicCurve:
    """Isotonic regression (pool adjacent violators) as knots; needs far more pairs than the other two.

    Probabilities are kept within [1/(N+2), 1 - 1/(N+2)], since N pairs cannot show certainty. Raises
    `CalibrationError` if only one class is present, or if matches do not score higher.
    """
    check_two_classes(labels)
    bound = 1 / (len(labels) + 2)
    model = IsotonicRegression(y_min=bound, y_max=1 - bound, out_of_bounds="clip").fit(raw_scores, labels)
    x = np.round(model.X_thresholds_, SCORE_DECIMALS)
    p = np.round(model.y_thresholds_, SCORE_DECIMALS)
    if len(x) > MAX_KNOTS:
        kept = np.unique(np.linspace(0, len(x) - 1, MAX_KNOTS).round().astype(int))
        x, p = x[kept], p[kept]
    # Scores closer than they are rounded to share a knot, which keeps the higher probability.
    last = np.append(np.diff(x) > 0, True)
    if last.sum() < 2 or p[0] == p[-1]:
        raise _not_higher()
    return IsotonicCurve(knots=tuple(zip(x[last].tolist(), p[last].tolist(), strict=True)))


FITS: dict[Method, Callable[[Floats, Labels], CalibrationCurve]] = {
    "temperature": fit_temperature,
    "platt": fit_platt,
    "isotonic": fit_isotonic,
}


@dataclass(frozen=True, slots=True)
class CalibrationOptions:
    """`methods`: to choose from, simplest first (it wins a tie). `folds`: groups of jobs left out in turn."""

    methods: tuple[Method, ...] = ("temperature", "platt")
    score: ProperScore = "log_loss"
    folds: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class FittedCalibration:
    """`scores`: mean proper score of each method on left-out jobs, lower is better. `notes`: fallbacks."""

    calibration: Calibration
    score: ProperScore
    scores: dict[Method, float]
    notes: tuple[str, ...]


def fit_calibration(pairs: ScoredPairs, options: CalibrationOptions | None = None) -> FittedCalibration:
    """Choose the method, then fit its curves on all pairs, for jobs with and without a title.

    If only one kind of job holds both classes, or ten matches and ten others in two jobs, its curve serves
    for the other kind too and a note says so. With one method nothing is compared. Raises
    `CalibrationError` if one class is missing, if matches do not score higher, or if there are too few jobs
    to leave some out.
    """
    options = options or CalibrationOptions()
    check_two_classes(pairs.labels)
    parts, usable = _parts(pairs), _usable(pairs)
    scores: dict[Method, float] = {}
    if len(options.methods) > 1:
        for method in options.methods:
            losses = np.concatenate(
                [_left_out_losses(part, FITS[method], options) for part in usable.values()]
            )
            scores[method] = round(float(losses.mean()), SCORE_DECIMALS)
    method = min(options.methods, key=lambda name: scores.get(name, 0.0))
    curves = {name: FITS[method](part.raw_scores, part.labels) for name, part in usable.items()}
    notes = tuple(
        f"no curve of its own for jobs {name} title: {len(part):,} pairs with {int(part.labels.sum()):,} "
        "matches; the other curve is used"
        for name, part in parts.items()
        if name not in usable
    ) + tuple(
        f"all {int(part.labels.sum()):,} matches for jobs {name} title score above all others: probabilities "
        f"near 0 and 1 are surer than {len(part):,} pairs can show"
        for name, part in usable.items()
        if part.raw_scores[part.labels == 1].min() > part.raw_scores[part.labels == 0].max()
    )
    only = next(iter(curves.values()))
    calibration = Calibration(
        method=method,
        with_title=curves.get("with", only),
        without_title=curves.get("without", only),
        pairs=len(pairs),
        prevalence=round(float(pairs.labels.mean()), 6),
    )
    return FittedCalibration(calibration, options.score, scores, notes)


def _parts(pairs: ScoredPairs) -> dict[str, ScoredPairs]:
    return {name: pairs.take(pairs.titled == kind) for name, kind in (("with", True), ("without", False))}


def _usable(pairs: ScoredPairs) -> dict[str, ScoredPairs]:
    """The pairs with a job title and those without, as far as each get a curve of their own."""
    usable = {name: part for name, part in _parts(pairs).items() if 0 < part.labels.sum() < len(part)}
    # One job without a title must neither stop a run nor get a curve drawn through its few pairs.
    usable = {name: part for name, part in usable.items() if _is_large(part)} or usable
    if not usable:
        raise CalibrationError(
            "neither the pairs with a job title nor those without hold both classes: "
            "nothing can be calibrated"
        )
    return usable


def check_comparable(pairs: ScoredPairs, options: CalibrationOptions) -> None:
    """Raise the `CalibrationError` that `fit_calibration` would raise whatever the scores are.

    Labels, jobs and titles say it, so that a run can be refused before anything is trained.
    """
    check_two_classes(pairs.labels)
    if len(options.methods) > 1:
        for part in _usable(pairs).values():
            for held_out in _folds(part, options):
                _fitted_on(part, held_out)


def _is_large(part: ScoredPairs) -> bool:
    matches = int(part.labels.sum())
    return min(matches, len(part) - matches) >= _LEAST and part.jobs_count > 1


def _left_out_losses(
    part: ScoredPairs, fit: Callable[[Floats, Labels], CalibrationCurve], options: CalibrationOptions
) -> Floats:
    losses: list[Floats] = []
    for held_out in _folds(part, options):
        fitted_on = _fitted_on(part, held_out)
        try:
            curve = fit(part.raw_scores[fitted_on], part.labels[fitted_on])
        except CalibrationError as error:
            raise CalibrationError(
                f"methods cannot be compared: without one fold of {part.jobs_count} jobs, {error.message}; "
                "name one method"
            ) from None
        predicted = np.array([curve.probability(float(x)) for x in part.raw_scores[held_out]])
        losses.append(proper_losses(predicted, part.labels[held_out], options.score))
    return np.concatenate(losses)


def _fitted_on(part: ScoredPairs, held_out: Labels) -> Flags:
    """(N,): the pairs outside a fold."""
    fitted_on = np.ones(len(part), dtype=np.bool_)
    fitted_on[held_out] = False
    if not 0 < part.labels[fitted_on].sum() < fitted_on.sum():
        raise CalibrationError(
            f"{part.jobs_count} jobs are too few to compare methods: without one fold of them a class is "
            "missing; name one method"
        )
    return fitted_on


def _folds(part: ScoredPairs, options: CalibrationOptions) -> Sequence[Labels]:
    """Rows of each fold. Jobs are dealt out at random, so that folds do not follow the order of the data."""
    count = min(options.folds, part.jobs_count)
    if count < 2:
        raise CalibrationError("comparing methods needs two jobs at least; name one method")
    order = np.random.default_rng(options.seed).permutation(part.jobs_count)
    return [np.concatenate([part.job_rows[job] for job in order[fold::count]]) for fold in range(count)]


def _not_higher() -> CalibrationError:
    return CalibrationError("matches do not score higher than the others: nothing can be calibrated")
