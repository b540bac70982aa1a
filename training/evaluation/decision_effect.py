"""Decisions on the same pairs by two texts of each resume, as redacted and bare: how many differ.

Intervals are drawn over resumes: the pairs of one resume stand or fall together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.core.engines.loading import LoadedModel
from service.core.matching import Matcher
from training.evaluation.resampling import estimate, ratio
from training.evaluation.schema import DecisionEffect
from training.evaluation.scored_pairs import Flags, Floats
from training.evaluation.scoring import Pair, score_pairs


def draws_of(count: int, rounds: int, rng: np.random.Generator) -> Floats:
    """How often each of `count` units is in each resample, (1 + rounds, count); row 0 holds ones."""
    drawn = [
        np.bincount(rng.integers(0, count, count), minlength=count) for _ in range(rounds if count > 1 else 0)
    ]
    return np.vstack([np.ones(count), *drawn]).astype(np.float64)


def redaction_effect(
    matcher: Matcher, loaded: LoadedModel, pairs: Sequence[Pair], *, rounds: int, rng: np.random.Generator
) -> DecisionEffect:
    """Decisions on `pairs` bare against redacted. Raises an `InputError` for an unusable text."""
    bare = score_pairs(matcher, loaded, pairs, redact=False)
    redacted = score_pairs(matcher, loaded, pairs)
    titled = [pair.title is not None for pair in pairs]
    _, resumes = np.unique([pair.resume_id for pair in pairs], return_inverse=True)
    _, jobs = np.unique([pair.job_id for pair in pairs], return_inverse=True)
    return decision_effect(
        bare,
        redacted,
        decisions(matcher, bare, titled),
        decisions(matcher, redacted, titled),
        resumes=resumes,
        jobs=len(np.unique(jobs)),
        rounds=rounds,
        rng=rng,
    )


def decisions(matcher: Matcher, raw_scores: Floats, titled: Sequence[bool]) -> Flags:
    """Whether each pair is selected, (N,), exactly as the service decides."""
    bundle = matcher.bundle
    return np.array(
        [
            bundle.decision.is_selected(bundle.calibration.probability(float(score), titled=has_title))
            for score, has_title in zip(raw_scores, titled, strict=True)
        ],
        dtype=np.bool_,
    )


def decision_effect(
    before: Floats,
    after: Floats,
    selected_before: Flags,
    selected_after: Flags,
    *,
    resumes: NDArray[np.integer],
    jobs: int,
    rounds: int,
    rng: np.random.Generator,
) -> DecisionEffect:
    """All figures of `DecisionEffect`. Arrays are (N,), raw_score and decision of each pair by the two texts.

    `resumes`: the number of each pair's resume, 0 to R - 1, each there once at least.
    """
    count = int(resumes.max()) + 1
    draws = draws_of(count, rounds, rng)
    pairs = np.bincount(resumes, minlength=count).astype(np.float64)
    kinds = {
        "differ": selected_before != selected_after,
        "lost": selected_before & ~selected_after,
        "gained": ~selected_before & selected_after,
    }
    figures = {}
    for which_text, selected in (("first", selected_before), ("second", selected_after)):
        each = np.bincount(resumes, selected, minlength=count)
        figures[f"selected_{which_text}"] = estimate(
            ratio(draws @ each, draws @ pairs), len(before), "no pairs"
        )
    for kind, which in kinds.items():
        each = np.bincount(resumes, which, minlength=count)
        figures[f"pairs_{kind}"] = estimate(ratio(draws @ each, draws @ pairs), len(before), "no pairs")
        figures[f"resumes_{kind}"] = estimate(
            ratio(draws @ (each > 0), draws.sum(axis=1)), count, "no resumes"
        )
    moved = np.bincount(resumes, np.abs(after - before), minlength=count)
    figures["mean_shift"] = estimate(ratio(draws @ moved, draws @ pairs), len(before), "no pairs")
    return DecisionEffect(pairs=len(before), jobs=jobs, resumes=count, figures=figures)
