"""Many jobs against many resumes: the scores of `late_interaction`, bit for bit, in stacked matrix products.

Jobs of equally many passages are stacked, and resumes likewise. numpy multiplies a stack one matrix at a
time, each as it would multiply that pair alone, and sums along the same axes in the same order, so nothing
depends on what else is in the stack; one product of all passages at once would add up in another order.
What is saved is Python's own time, most of that of a pair.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from service.core.scoring import SCORE_DECIMALS, MatchPolicy, late_interaction, passage_weights
from service.core.vectors import Floats, Vectors

_BLOCK = 2**19
"""Cosines that are held at once, 4 MiB; a pair with more is scored alone."""


def all_raw_scores(
    jobs: Sequence[tuple[Vectors, Vectors | None]],
    resumes: Sequence[Vectors],
    policy: MatchPolicy,
    shares: Sequence[Floats | None] | None = None,
) -> NDArray[np.float64]:
    """`late_interaction` of every job and resume, (jobs, resumes).

    Args:
        jobs: unit vectors of each job's passages, (J, D), and of its title, (D,), or None.
        resumes: unit vectors of each resume's passages, (R, D).
        policy: as in `late_interaction`.
        shares: of each job's passages, as in `passage_weights`; None: all are about the work.
    """
    scores = np.empty((len(jobs), len(resumes)))
    of_jobs = [None] * len(jobs) if shares is None else shares
    weights = [
        passage_weights(body, title, one, policy) for (body, title), one in zip(jobs, of_jobs, strict=True)
    ]
    stacks = [(rs, np.stack([resumes[r] for r in rs])) for rs in _alike(resumes)]
    kinds = [(title is None) + 2 * (weight is None) for (_, title), weight in zip(jobs, weights, strict=True)]
    for js in _alike([body for body, _ in jobs], kinds):
        bodies = np.stack([jobs[j][0] for j in js])  # (j, J, D)
        titles = [title for j in js if (title := jobs[j][1]) is not None]
        weighing = [weight for j in js if (weight := weights[j]) is not None]
        for rs, stack in stacks:
            for part in _blocks(len(js), len(rs), bodies.shape[1] * stack.shape[1]):
                if part is None or stack.shape[1] == 1:
                    # One column is summed by another algorithm when it stands alone.
                    for j in js:
                        for r in rs:
                            scores[j, r] = late_interaction(
                                jobs[j][0], resumes[r], jobs[j][1], policy, of_jobs[j]
                            )
                    break
                some, others = part
                block = _stacked(
                    bodies[some],
                    np.stack(titles[some]) if titles else None,
                    np.stack(weighing[some]) if weighing else None,
                    stack[others],
                    policy,
                )
                scores[np.ix_(js[some], rs[others])] = block
    return scores


def _stacked(
    jobs: Vectors, titles: Vectors | None, weights: Floats | None, resumes: Vectors, policy: MatchPolicy
) -> NDArray[np.float64]:
    """Jobs (j, J, D) with titles (j, D) and weights (j, J) against resumes (r, R, D) -> (j, r).

    As `late_interaction` has it.
    """
    t = policy.temperature
    count = resumes.shape[1]
    cosines = np.matmul(jobs[:, None], resumes.transpose(0, 2, 1)[None])  # (j, r, J, R)
    peak = cosines.max(axis=(2, 3)).astype(np.float64)  # (j, r)
    terms = np.exp(t * (cosines.astype(np.float64) - peak[..., None, None]))
    if weights is not None:
        terms *= jobs.shape[1] * weights[:, None, :, None]
    summed = terms.sum(axis=2)  # (j, r, R)
    counted = policy.counted(count)
    best = summed if counted == count else np.sort(summed, axis=-1)[..., count - counted :]
    scores = peak + np.log(best.sum(axis=-1) / (jobs.shape[1] * counted)) / t
    if titles is not None:
        of_titles = np.matmul(resumes[None], titles[:, None, :, None])[..., 0]  # (j, r, R)
        nearest = np.sort(of_titles, axis=-1)[..., ::-1][..., : policy.title_passages]
        title_scores = np.mean(nearest, axis=-1, dtype=np.float64)
        scores = (1.0 - policy.title_weight) * scores + policy.title_weight * title_scores
    # Not numpy's own rounding, which multiplies first.
    rounded = [round(float(score), SCORE_DECIMALS) for score in scores.flat]
    return np.array(rounded).reshape(scores.shape)


def _alike(vectors: Sequence[Vectors], kinds: Sequence[int] | None = None) -> list[NDArray[np.intp]]:
    """Indexes of those with equally many passages, and of the same kind."""
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for i, one in enumerate(vectors):
        found[len(one), kinds[i] if kinds else 0].append(i)
    return [np.array(some) for some in found.values()]


def _blocks(jobs: int, resumes: int, cosines: int) -> Iterator[tuple[slice, slice] | None]:
    """Parts of a stack that hold at most `_BLOCK` cosines; None if a single pair holds more."""
    if cosines > _BLOCK:
        yield None
        return
    at_once = max(1, min(resumes, _BLOCK // cosines))
    with_it = max(1, min(jobs, _BLOCK // (cosines * at_once)))
    for j in range(0, jobs, with_it):
        for r in range(0, resumes, at_once):
            yield slice(j, j + with_it), slice(r, r + at_once)
