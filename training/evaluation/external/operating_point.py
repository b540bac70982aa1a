"""What one threshold for everybody decides: precision, recall, and how evenly postings are served."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from training.evaluation.external.ranking import Steps
from training.evaluation.external.resampling import Drawn, Samples, TwoWayResamples
from training.evaluation.external.schema import OperatingPoint
from training.evaluation.resampling import ratio
from training.evaluation.scored_pairs import Flags, Floats, Labels

FIGURES = {
    "precision": "precision",
    "recall": "recall",
    "selection_rate": "selection_rate",
    "recall_lower_quartile": "recall by posting, lower quartile",
    "recall_median": "recall by posting, median",
    "recall_upper_quartile": "recall by posting, upper quartile",
    "postings_without_selection": "postings with nobody selected",
}
"""Names of the figures, as reports show them."""

_QUARTILES = {"recall_lower_quartile": 0.25, "recall_median": 0.5, "recall_upper_quartile": 0.75}
_REASONS = {"precision": "nobody was selected", "recall": "no matches"}


def threshold_at_precision(scores: Floats, labels: Labels, precision: float) -> float | None:
    """The lowest score from which on, inclusive, pairs have `precision` or more; None if there is none.

    It is chosen on the labels that it is then judged by, so that it says what one threshold could do, not
    what one that is chosen beforehand will do.
    """
    steps = Steps.of(scores)
    pos, all_ = steps.sums(np.ones((1, len(scores))), labels)
    hits, chosen = pos.cumsum(), all_.cumsum()
    enough = np.flatnonzero((hits >= precision * chosen) & (hits > 0))
    return float(scores[steps.order[steps.starts[enough[-1]]]]) if len(enough) else None


def operating_point(
    threshold: float,
    on: Literal["calibrated_probability", "score"],
    selected: Flags,
    resamples: TwoWayResamples,
) -> OperatingPoint:
    """What follows from the decisions `selected` (N,), which stay as they are in all resamples.

    Recall by posting is of postings with a match; `n` counts pairs, and postings where a figure is of them.
    """
    data = resamples.data
    matches = data.labels == 1
    chosen, hits, size, wanted = (
        resamples.totals(of) for of in (selected, selected & matches, np.ones(len(data)), matches)
    )
    samples: dict[str, Samples] = {
        "precision": {way: ratio(hits[way], chosen[way]) for way in hits},
        "recall": {way: ratio(hits[way], wanted[way]) for way in hits},
        "selection_rate": {way: ratio(chosen[way], size[way]) for way in hits},
    }
    recalls = ratio(resamples.by_posting(selected & matches), resamples.by_posting(matches))  # (B, P)
    for name, share in _QUARTILES.items():
        samples[name] = _by_way(recalls, resamples, share)
    nobody = (resamples.by_posting(selected) == 0) & (resamples.by_posting(np.ones(len(data))) > 0)
    samples["postings_without_selection"] = {
        "resume": nobody.sum(axis=1).astype(np.float64),
        "posting": resamples.postings @ nobody[0],
        "both": (resamples.postings * nobody).sum(axis=1),
    }
    with_matches = int((data.matches_of_postings > 0).sum())
    counts = dict.fromkeys(_QUARTILES, with_matches) | {"postings_without_selection": len(data.postings)}
    return OperatingPoint(
        threshold=round(threshold, 6),
        on=on,
        figures={
            name: resamples.figure(
                samples[name], counts.get(name, len(data)), _REASONS.get(name, "no posting has a match")
            )
            for name in FIGURES
        },
    )


def _by_way(values: Floats, resamples: TwoWayResamples, share: float) -> dict[Drawn, Floats]:
    """A quantile over postings of `values` (B, P), as `TwoWayResamples.posting_means` does means."""
    ones = np.ones_like(resamples.postings)
    first = np.broadcast_to(values[:1], ones.shape)
    return {
        "resume": weighted_quantile(values, ones, share),
        "posting": weighted_quantile(first, resamples.postings, share),
        "both": weighted_quantile(values, resamples.postings, share),
    }


def weighted_quantile(values: Floats, weights: Floats, share: float) -> Floats:
    """`np.quantile` of each row's values, each repeated as often as its whole weight says; NaN is left out.

    values and weights (B, P) -> (B,), NaN for a row without any.
    """
    weights = np.where(np.isfinite(values), weights, 0.0)
    order = np.argsort(values, axis=1)  # NaN comes last
    ordered = np.take_along_axis(values, order, axis=1)
    reached = np.take_along_axis(weights, order, axis=1).cumsum(axis=1)
    count = reached[:, -1:]
    place = np.maximum((count - 1) * share, 0.0)
    low, high = _at(ordered, reached, np.floor(place)), _at(ordered, reached, np.ceil(place))
    found = low + (high - low) * (place - np.floor(place))[:, 0]
    return np.where(count[:, 0] > 0, found, np.nan)


def _at(ordered: Floats, reached: Floats, place: Floats) -> Floats:
    """The value at a place, counted from 0, of each row's repeated values."""
    index: NDArray[np.intp] = np.minimum((reached <= place).sum(axis=1), ordered.shape[1] - 1)
    return ordered[np.arange(len(ordered)), index]
