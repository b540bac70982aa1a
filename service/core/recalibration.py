"""Is a bundle calibrated for the people it scores? Its probabilities against outcomes, and a better curve.

The log odds of the bundle's probabilities are recalibrated by a slope and an intercept (Cox 1958), the same
for everybody and for jobs with and without a title: two numbers need fewer outcomes than new curves would,
and are 1 and 0 where the bundle is right. Groups are reported and never take part.

Outcomes are known of some decisions only. Where being followed up depends on the score alone, the curve is
right for all decisions, and so are the share of matches and the precision that it expects among them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from service.core.bundle import Bundle
from service.core.calibration import PlattCurve, shift_prevalence
from service.core.calibration_fit import fit_platt, log_odds, recalibrated
from service.core.calibration_proposal import (
    BundleRef,
    CalibrationProposal,
    Counts,
    Cut,
    GroupFigures,
    Interval,
    ProposedThreshold,
    Quality,
)
from service.core.calibration_quality import (
    Floats,
    Labels,
    brier_score,
    brier_skill_score,
    expected_calibration_error,
    prevalence_of,
)
from service.core.errors import CalibrationError
from service.core.fairness.counts import Share
from service.core.fairness.rates import wilson_interval
from service.core.recalibration_warnings import ENOUGH, warnings_of
from service.core.scoring import SCORE_DECIMALS

LEAST = 20
"""Matches, and others, below which nothing is proposed."""
LEAST_POSTINGS = 5
LEAST_OF_GROUP = 30

_FOLDS = 5
_ROUNDS = 500
_STEP = 10.0**-SCORE_DECIMALS

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class ScoredDecisions:
    """Decisions of one bundle, N of them.

    `probabilities` at the bundle's own prevalence; `labels`: 1 for a match, 0 for none, -1 if unknown;
    `postings`, `candidates`: a number for each, (N,); `cells`: index of `groups`, (N,), which maps attributes
    to groups.
    """

    probabilities: Floats
    labels: Labels
    postings: Codes
    candidates: Codes
    cells: Codes
    groups: Sequence[Mapping[str, str]]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Flags) -> ScoredDecisions:
        """Those of the flagged rows."""
        return ScoredDecisions(
            self.probabilities[rows],
            self.labels[rows],
            self.postings[rows],
            self.candidates[rows],
            self.cells[rows],
            self.groups,
        )


class DistinctValues:
    """Numbers values in the order in which they first come, so that ids need not be kept for every row."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._codes: list[int] = []

    def add(self, value: Hashable) -> None:
        self._codes.append(self._numbers.setdefault(value, len(self._numbers)))

    @property
    def values(self) -> list[Hashable]:
        """By their numbers."""
        return list(self._numbers)

    def codes(self) -> Codes:
        """The number of each value that was added."""
        return np.array(self._codes, dtype=np.int64)


def propose(
    decisions: ScoredDecisions,
    bundle: Bundle,
    *,
    created: str,
    source: str,
    ground_truth: str | None = None,
    precision: float | None = None,
    seed: int = 0,
) -> CalibrationProposal:
    """Fit a calibration on the outcomes, and say what it changes. Nothing is applied.

    `precision`: also look for the lowest threshold with this expected precision, in (0, 1). Raises
    `CalibrationError`, with the counts, for fewer than `LEAST` matches, others, or `LEAST_POSTINGS` postings,
    and if matches do not score higher.
    """
    judged = decisions.take(decisions.labels >= 0)
    counts = _counts(decisions, judged, bundle)
    _check_enough(counts)
    x, y = log_odds(judged.probabilities), judged.labels
    by = fit_platt(x, y, smooth=True)
    pool = expit(by.slope * log_odds(decisions.probabilities) + by.intercept)
    values = _Pool(decisions.probabilities)
    cut = None if precision is None else values.cut_at(precision, by)
    found = _Bootstrap(judged, values, precision, seed)
    out_of_fold = _cross_validated(x, y, judged.postings, seed)
    observed = prevalence_of(y)
    shifted = shift_prevalence(judged.probabilities, of=bundle.calibration.prevalence, to=observed)
    thresholds: dict[Cut, ProposedThreshold] = {
        "same_decisions": _threshold(
            bundle.decision.threshold, bundle.decision.borderline, by, decisions, judged, pool
        )
    }
    if cut is not None:
        low, high = found.cuts()
        band = (min(low, cut), max(high, cut))
        thresholds["precision"] = _threshold(cut, band, by, decisions, judged, pool)
    before, at_observed = quality(judged.probabilities, y), quality(shifted, y)
    after = None if out_of_fold is None else quality(out_of_fold, y)
    slope, intercept = found.interval(by.slope, "slope"), found.interval(by.intercept, "intercept")
    expected = float(np.clip(pool.mean(), _STEP, 1 - _STEP))
    return CalibrationProposal(
        created=created,
        bundle=BundleRef(name=bundle.manifest.name, version=bundle.manifest.version, digest=bundle.digest),
        source=source,
        ground_truth=ground_truth,
        counts=counts,
        slope=slope,
        intercept=intercept,
        calibration=recalibrated(
            bundle.calibration, by, pairs=counts.outcomes, prevalence=round(expected, SCORE_DECIMALS)
        ),
        observed_prevalence=_rounded(observed),
        before=before,
        shifted=at_observed,
        after=after,
        groups=list(_groups(decisions, by, bundle.decision.threshold, thresholds)),
        thresholds=thresholds,
        precision=precision,
        warnings=list(
            warnings_of(
                counts,
                decisions.probabilities,
                judged.probabilities,
                slope,
                intercept,
                before,
                at_observed,
                after,
                None if "precision" in thresholds else precision,
                ground_truth,
            )
        ),
    )


def quality(probabilities: Floats, labels: Labels) -> Quality:
    """Proper scores and calibration errors of pairs of both classes."""
    return Quality(
        mean_probability=_rounded(float(probabilities.mean())),
        brier=_rounded(brier_score(probabilities, labels)),
        brier_skill_score=_rounded(brier_skill_score(probabilities, labels)),
        expected_calibration_error=_rounded(expected_calibration_error(probabilities, labels)),
        expected_calibration_error_by_mass=_rounded(
            expected_calibration_error(probabilities, labels, bins="mass")
        ),
    )


def _counts(decisions: ScoredDecisions, judged: ScoredDecisions, bundle: Bundle) -> Counts:
    threshold = bundle.decision.threshold
    return Counts(
        decisions=len(decisions),
        selected=int((decisions.probabilities >= threshold).sum()),
        outcomes=len(judged),
        outcomes_of_selected=int((judged.probabilities >= threshold).sum()),
        matches=int((judged.labels == 1).sum()),
        postings=len(np.unique(judged.postings)),
        candidates=len(np.unique(judged.candidates)),
    )


def _check_enough(counts: Counts) -> None:
    others = counts.outcomes - counts.matches
    if counts.matches < LEAST or others < LEAST or counts.postings < LEAST_POSTINGS:
        raise CalibrationError(
            f"too few outcomes: {counts.matches:,} matches and {others:,} others of {counts.postings:,} "
            f"postings, among {counts.decisions:,} decisions of this bundle; a proposal needs {LEAST} "
            f"matches, {LEAST} others and {LEAST_POSTINGS} postings at least, and {ENOUGH} of both to be "
            "relied on"
        )


class _Pool:
    """All decisions' probabilities, each value once, the highest first, (V,)."""

    def __init__(self, probabilities: Floats) -> None:
        values, counts = np.unique(probabilities, return_counts=True)
        self.values, self._counts = values[::-1], counts[::-1]
        self._odds = log_odds(self.values)
        self._selected = np.cumsum(self._counts)

    def cut_at(self, precision: float, by: PlattCurve) -> float | None:
        """The lowest from which on the mean of the new probabilities is `precision`; None: none is."""
        expected = expit(by.slope * self._odds + by.intercept) * self._counts
        enough = np.flatnonzero(np.cumsum(expected) / self._selected >= precision)
        return None if len(enough) == 0 else float(self.values[enough[-1]])


def _cross_validated(x: Floats, y: Labels, postings: Codes, seed: int) -> Floats | None:
    """Probabilities of each pair by the pairs of other postings, (N,); None if a fold leaves too little."""
    units = np.unique(postings)
    fold_of = np.random.default_rng(seed).permutation(len(units)) % _FOLDS
    folds = fold_of[np.searchsorted(units, postings)]
    found = np.empty(len(y))
    for fold in range(_FOLDS):
        held_out = folds == fold
        try:
            by = fit_platt(x[~held_out], y[~held_out], smooth=True)
        except CalibrationError:
            return None
        found[held_out] = expit(by.slope * x[held_out] + by.intercept)
    return found


class _Bootstrap:
    """Resamples of postings, and of candidates: of both intervals the wider one is told.

    The pairs of a posting stand or fall together, and so do those of a person. Whichever varies more says how
    much another sample could differ.
    """

    def __init__(self, judged: ScoredDecisions, pool: _Pool, precision: float | None, seed: int) -> None:
        x, y = log_odds(judged.probabilities), judged.labels
        self._found: list[dict[str, list[float]]] = []
        rng = np.random.default_rng(seed)
        for units in (judged.postings, judged.candidates):
            values: dict[str, list[float]] = {"slope": [], "intercept": [], "cut": []}
            for weights in _resamples(units, rng):
                try:
                    by = fit_platt(x, y, weights, smooth=True)
                except CalibrationError:
                    continue
                values["slope"].append(by.slope)
                values["intercept"].append(by.intercept)
                if precision is not None:
                    cut = pool.cut_at(precision, by)
                    values["cut"].append(1.0 if cut is None else cut)
            self._found.append(values)

    def interval(self, value: float, name: str) -> Interval:
        low, high = self._widest(name)
        return Interval(value=_rounded(value), low=low, high=high)

    def cuts(self) -> tuple[float, float]:
        low, high = self._widest("cut")
        return (0.0 if low is None else low), (1.0 if high is None else high)

    def _widest(self, name: str) -> tuple[float | None, float | None]:
        found = []
        for values in self._found:
            if 2 * len(values[name]) >= _ROUNDS:
                low, high = np.quantile(values[name], [0.025, 0.975])
                found.append((float(high - low), _rounded(float(low)), _rounded(float(high))))
        if not found:
            return None, None
        _, low_end, high_end = max(found)
        return low_end, high_end


def _resamples(units: Codes, rng: np.random.Generator) -> Iterator[Floats]:
    """How often each pair is in a resample of whole units, (N,), `_ROUNDS` times."""
    names, of_pair = np.unique(units, return_inverse=True)
    for _ in range(_ROUNDS):
        drawn = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        yield drawn[of_pair].astype(np.float64)


def _threshold(
    today: float,
    band: tuple[float, float],
    by: PlattCurve,
    decisions: ScoredDecisions,
    judged: ScoredDecisions,
    pool: Floats,
) -> ProposedThreshold:
    """The cut `today`, on the bundle's own probability, as a threshold of the new one."""
    low, threshold, high = (_moved(one, by) for one in (band[0], today, band[1]))
    selected, known = decisions.probabilities >= today, judged.probabilities >= today
    hits, n = int(judged.labels[known].sum()), int(known.sum())
    return ProposedThreshold(
        threshold=min(max(threshold, _STEP), 1 - _STEP),
        borderline=(min(low, threshold), max(high, threshold)),
        today=_rounded(today),
        selection_rate=_rounded(float(selected.mean())),
        expected_precision=_rounded(float(pool[selected].mean())) if selected.any() else None,
        expected_recall=_rounded(float(pool[selected].sum() / pool.sum())),
        observed_precision=_share_of(hits, n),
        observed=n,
    )


def _moved(probability: float, by: PlattCurve) -> float:
    """0 and 1, the ends of a band without a bound, stay."""
    if probability in (0.0, 1.0):
        return probability
    odds = log_odds(np.array([probability]))
    return _rounded(float(expit(by.slope * odds + by.intercept)[0]))


def _share_of(hits: int, n: int) -> Interval:
    """A share with its 95 % interval."""
    if n == 0:
        return Interval(value=None)
    found = wilson_interval(Share(hits, n))
    return Interval(value=_rounded(hits / n), low=_rounded(found.low), high=_rounded(found.high))


def _groups(
    decisions: ScoredDecisions, by: PlattCurve, today: float, thresholds: Mapping[Cut, ProposedThreshold]
) -> Iterator[GroupFigures]:
    after = expit(by.slope * log_odds(decisions.probabilities) + by.intercept)
    known = decisions.labels >= 0
    for attribute in sorted({attribute for groups in decisions.groups for attribute in groups}):
        of_cell = np.array([groups.get(attribute, "") for groups in decisions.groups], dtype=object)
        for group in sorted({name for name in of_cell if name}):
            members = np.isin(decisions.cells, np.flatnonzero(of_cell == group))
            rows = members & known
            n, outcomes, matches = int(members.sum()), int(rows.sum()), int(decisions.labels[rows].sum())
            yield GroupFigures(
                attribute=attribute,
                group=group,
                decisions=n,
                outcomes=outcomes,
                matches=matches,
                match_rate=_mean(decisions.labels[rows]),
                mean_before=_mean(decisions.probabilities[rows]),
                mean_after=_mean(after[rows]),
                selection_rate=_mean(decisions.probabilities[members] >= today),
                selection_rates={
                    name: _mean(decisions.probabilities[members] >= one.today)
                    for name, one in thresholds.items()
                },
            )


def _mean(values: NDArray[Any]) -> float | None:
    return _rounded(float(values.mean())) if len(values) >= LEAST_OF_GROUP else None


def _rounded(value: float) -> float:
    return round(value, SCORE_DECIMALS)
