"""Calibration, threshold and test figures from the scores of held-out jobs, fold by fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from service.core.calibration import Calibration
from service.core.errors import CalibrationError
from service.core.manifest import DecisionRule
from training.config import RunConfig
from training.evaluation.evaluate import evaluate_pairs
from training.evaluation.schema import Evaluation, Subject
from training.evaluation.scored_pairs import Floats, ScoredPairs, concatenated
from training.pipeline.measuring import calibration_options, decide, evaluation_options, threshold_notes
from training.postprocessing.calibration import fit_calibration


@dataclass(frozen=True)
class FoldDecision:
    """By what a fold's held-out pairs are decided: fitted on those of all other folds."""

    calibration: Calibration
    rule: DecisionRule


@dataclass(frozen=True)
class CrossFitted:
    """What the held-out scores of all folds came to.

    Attributes:
        folds: The held-out pairs of each fold, with the scores of the fold's own model.
        calibration: Fitted on the pairs of all folds: the bundle's.
        rule: The threshold chosen on them: the bundle's.
        decisions: For each fold, what was fitted without it: for the test figures.
        notes: What was not possible.
    """

    folds: tuple[ScoredPairs, ...]
    calibration: Calibration
    rule: DecisionRule
    decisions: tuple[FoldDecision, ...]
    notes: tuple[str, ...]

    @property
    def pairs(self) -> ScoredPairs:
        """The held-out pairs of all folds."""
        return concatenated(self.folds)

    def probabilities(self) -> Floats:
        """calibrated_probability of each of `pairs`, (N,), by the calibration of the other folds."""
        return np.concatenate(
            [
                fold.probabilities(decision.calibration)
                for fold, decision in zip(self.folds, self.decisions, strict=True)
            ]
        )

    def thresholds(self) -> Floats:
        """The threshold that each of `pairs` is decided by, (N,): that of the other folds."""
        return np.concatenate(
            [
                np.full(len(fold), decision.rule.threshold)
                for fold, decision in zip(self.folds, self.decisions, strict=True)
            ]
        )


def cross_fit(config: RunConfig, folds: Sequence[ScoredPairs]) -> CrossFitted:
    """The bundle's calibration and threshold on all held-out pairs, and each fold's on those of the others.

    Where the other folds' pairs cannot be calibrated, the fold is decided by the bundle's own calibration and
    threshold, and a note says so. Raises `CalibrationError` if all pairs together cannot be.
    """
    everything = concatenated(folds)
    options = calibration_options(config)
    fitted = fit_calibration(everything, options)
    named = f"the held-out pairs of {len(folds)} folds"
    choice = decide(config, everything, fitted.calibration, named)
    notes = [*fitted.notes, *threshold_notes(config, choice, named)]
    # The method was compared across jobs already.
    same = replace(options, methods=(fitted.calibration.method,))
    decisions = []
    for number in range(len(folds)):
        others = concatenated([fold for other, fold in enumerate(folds) if other != number])
        try:
            calibration = fit_calibration(others, same).calibration
            decision = FoldDecision(calibration, decide(config, others, calibration).rule)
        except CalibrationError as error:
            notes.append(
                f"fold {number + 1} is decided by the bundle's own calibration and threshold, in which its "
                f"pairs took part; without them: {error.message}"
            )
            decision = FoldDecision(fitted.calibration, choice.rule)
        decisions.append(decision)
    return CrossFitted(tuple(folds), fitted.calibration, choice.rule, tuple(decisions), tuple(notes))


def evaluate_folds(config: RunConfig, found: CrossFitted, subject: Subject) -> Evaluation:
    """The test figures: every held-out pair, scored and decided without its job and its person."""
    pairs = found.pairs
    count = len(found.folds)
    thresholds = found.thresholds()
    evaluation = evaluate_pairs(
        pairs,
        found.probabilities(),
        subject,
        data=f"{count}-fold cross-fitting over {pairs.jobs_count} jobs of the given data",
        options=evaluation_options(config),
        thresholds=thresholds,
    )
    note = (
        f"Cross-fitted: each pair was scored by one of {count} models that had seen neither its job nor its "
        "person, and decided by a threshold of the other folds "
        f"({thresholds.min():g} to {thresholds.max():g}). The bundle's own model was trained on all pairs in "
        "the same way, so it has no test pairs of its own."
    )
    return evaluation.model_copy(update={"notes": [*evaluation.notes, note]})
