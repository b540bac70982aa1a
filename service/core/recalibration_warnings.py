"""What a person must know before a proposed calibration is applied."""

from __future__ import annotations

from collections.abc import Iterator

from service.core.calibration_proposal import Counts, Interval, Quality
from service.core.calibration_quality import Floats

ENOUGH = 100
"""Matches, and others, that studies which validate a model need (Vergouwe et al. 2005)."""

_LARGEST_UNEVEN = 2.0
"""Shares of followed-up people among the selected and the others that differ by more are uneven."""


def warnings_of(
    counts: Counts,
    all_probabilities: Floats,
    judged_probabilities: Floats,
    slope: Interval,
    intercept: Interval,
    before: Quality,
    shifted: Quality,
    after: Quality | None,
    unreached_precision: float | None,
    ground_truth: str | None,
) -> Iterator[str]:
    """Probabilities are the bundle's own: of all decisions, and of those whose outcome is known.

    `unreached_precision`: one that was asked for and that no threshold has.
    """
    if ground_truth == "human_decision":
        yield (
            "a match is here what people decided, who may have seen the scores: probabilities of such "
            "matches say what people do, not who fits"
        )
    others = counts.outcomes - counts.matches
    if min(counts.matches, others) < ENOUGH:
        yield (
            f"few outcomes: {counts.matches:,} matches and {others:,} others; below {ENOUGH} of each a "
            "calibration is not to be relied on"
        )
    yield from _about_follow_up(counts)
    low, high = judged_probabilities.min(), judged_probabilities.max()
    outside = (all_probabilities < low) | (all_probabilities > high)
    if outside.any():
        yield (
            f"{_percent(outside.mean())} of the decisions have probabilities beyond those of all outcomes "
            f"({low:.4g} to {high:.4g}): there the new ones are extrapolated"
        )
    if _holds(slope, 1.0) and _holds(intercept, 0.0):
        yield (
            "the intervals of slope and intercept hold 1 and 0: nothing shows that the bundle's calibration "
            "is wrong here"
        )
    if after is None:
        yield "too few postings with both outcomes to try the curve on postings that it was not fitted on"
    elif after.brier >= before.brier:
        yield (
            "on postings that it was not fitted on the new curve is no better than the bundle's own (Brier "
            f"{after.brier:.4f} and {before.brier:.4f})"
        )
    elif after.brier >= shifted.brier:
        yield (
            "on postings that it was not fitted on the new curve is no better than the bundle's own after a "
            f"prior shift (Brier {after.brier:.4f} and {shifted.brier:.4f}): `EVENMATCH_PREVALENCE` may do"
        )
    if unreached_precision is not None:
        yield f"no threshold has an expected precision of {unreached_precision:g}"


def _about_follow_up(counts: Counts) -> Iterator[str]:
    passed = counts.decisions - counts.selected
    of_others = counts.outcomes - counts.outcomes_of_selected
    if counts.outcomes == counts.decisions or not counts.decisions:
        return
    told = f"of {counts.outcomes_of_selected:,} of {counts.selected:,} selected"
    told += f" and {of_others:,} of {passed:,} others"
    share = counts.outcomes_of_selected / counts.selected if counts.selected else 0.0
    share_of_others = of_others / passed if passed else 0.0
    if not of_others:
        yield (
            f"outcomes are known {told}: nothing is known of those who were not selected, and below the "
            "threshold the curve is a guess"
        )
    elif max(share, share_of_others) > _LARGEST_UNEVEN * min(share, share_of_others):
        yield (
            f"outcomes are known {told}: who was followed up differs. The curve is right for all only if "
            "that depended on the score alone"
        )
    else:
        yield f"outcomes are known {told}: all figures of outcomes are of these"


def _holds(interval: Interval, value: float) -> bool:
    return interval.low is not None and interval.high is not None and interval.low <= value <= interval.high


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"
