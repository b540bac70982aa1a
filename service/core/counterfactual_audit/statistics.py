"""The tests and intervals of an audit. Pure functions of arrays; every p-value is in (0, 1]."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.core.fairness.statistics import CONFIDENCE, Interval

Floats = NDArray[np.float64]

PERMUTATIONS = 2_000


class Comparison(NamedTuple):
    """A one-sided test of whether absolute gaps exceed the control arm's.

    `effect_size`: Cliff's delta in [-1, 1], the chance that an absolute gap exceeds one of the control
    arm minus the chance of the opposite, within resumes (Cliff 1993). `p_value`: stratified permutation.
    """

    effect_size: float
    p_value: float


class TopShares(NamedTuple):
    """How often each group's variant has the highest score of its set; ties are split.

    `min_max_ratio` is 1 if the groups are equally often on top. `p_value` is of uniform shares. `sets`
    counts the sets in which not all groups tied.
    """

    shares: tuple[float, ...]
    min_max_ratio: float
    p_value: float
    sets: int


def mean_interval(values: Floats, clusters: Sequence[str]) -> Interval | None:
    """T interval of the mean of `values` (N,). With two clusters or more, their means are the sample.

    Variants of one resume share its text, so with several resumes each counts once. None for a sample
    of one, whose spread is unknown.
    """
    names = np.asarray(clusters)
    unique = np.unique(names)
    sample = np.array([values[names == name].mean() for name in unique]) if len(unique) > 1 else values
    if len(sample) < 2:
        return None
    mean = float(sample.mean())
    error = float(sample.std(ddof=1)) / math.sqrt(len(sample))
    from scipy.special import stdtrit  # takes 0.3 s: not before the first audit, or the warm-up

    half = float(stdtrit(len(sample) - 1, (1 + CONFIDENCE) / 2)) * error  # Student's t quantile
    return Interval(mean - half, mean + half)


def compare_with_control(
    gaps: Sequence[Floats], control: Sequence[Floats], rng: np.random.Generator
) -> Comparison | None:
    """Do absolute gaps exceed those of benign edits? One array a resume in both, in the same order.

    The statistic is the mean over resumes of the difference of mean absolute gaps; labels are permuted
    within resumes. None if no resume has both kinds.
    """
    pairs = [(np.abs(g), np.abs(c)) for g, c in zip(gaps, control, strict=True) if len(g) and len(c)]
    if not pairs:
        return None
    observed = float(np.mean([g.mean() - c.mean() for g, c in pairs]))
    reached = np.zeros(PERMUTATIONS)
    for g, c in pairs:
        pool = np.concatenate([g, c])
        shuffled = rng.permuted(np.tile(pool, (PERMUTATIONS, 1)), axis=1)  # (P, n + m)
        reached += shuffled[:, : len(g)].mean(axis=1) - shuffled[:, len(g) :].mean(axis=1)
    reached /= len(pairs)
    p_value = (1 + int((reached >= observed - 1e-12).sum())) / (1 + PERMUTATIONS)
    signs = [np.sign(g[:, None] - c[None, :]).mean() for g, c in pairs]
    return Comparison(float(np.mean(signs)), p_value)


def difference_between_groups(scores: Floats, rng: np.random.Generator) -> float | None:
    """p-value of "the groups score alike" for scores (S, G): S sets of one variant of each group.

    The statistic is the variance of the groups' mean scores; labels are permuted within sets, so that
    neither the resumes nor the draws matter (Friedman's design with scores instead of ranks). None for
    fewer than two groups or no set.
    """
    if scores.ndim != 2 or scores.shape[0] == 0 or scores.shape[1] < 2:
        return None
    centred = scores - scores.mean(axis=1, keepdims=True)
    observed = float(np.var(centred.mean(axis=0)))
    if observed == 0.0 and not centred.any():
        return 1.0
    reached = np.empty(PERMUTATIONS)
    for i in range(PERMUTATIONS):
        reached[i] = np.var(rng.permuted(centred, axis=1).mean(axis=0))
    return (1 + int((reached >= observed - 1e-15).sum())) / (1 + PERMUTATIONS)


def top_shares(scores: Floats, rng: np.random.Generator) -> TopShares | None:
    """Shares of first places of the groups for scores (S, G), and a Monte Carlo chi-square test.

    Sets in which all groups tie say nothing about order and are left out. None if none is left.
    """
    if scores.ndim != 2 or scores.shape[1] < 2:
        return None
    telling = scores[np.ptp(scores, axis=1) > 0] if len(scores) else scores
    sets, groups = telling.shape
    if sets == 0:
        return None
    on_top = telling == telling.max(axis=1, keepdims=True)
    wins = (on_top / on_top.sum(axis=1, keepdims=True)).sum(axis=0)
    expected = sets / groups
    observed = float(((wins - expected) ** 2 / expected).sum())
    drawn = rng.multinomial(sets, np.full(groups, 1 / groups), size=PERMUTATIONS)
    reached = ((drawn - expected) ** 2 / expected).sum(axis=1)
    p_value = (1 + int((reached >= observed - 1e-12).sum())) / (1 + PERMUTATIONS)
    return TopShares(tuple(wins / sets), float(wins.min() / wins.max()), p_value, sets)
