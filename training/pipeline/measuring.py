"""Calibration, threshold and evaluation of a trained bundle, each on a split of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from service.core.bundle import Bundle
from service.core.calibration import Calibration
from service.core.counterfactual_audit.plan import AuditResume, CounterfactualOptions
from service.core.engines.loading import LoadedModel
from service.core.manifest import DecisionRule
from service.core.matching import Matcher
from training.config import RunConfig
from training.data.example import Dataset, Example
from training.data.synthetic.generator import generate
from training.evaluation.evaluate import EvaluationOptions, evaluate_bundle
from training.evaluation.schema import Evaluation, VariantEvaluation
from training.evaluation.scored_pairs import ScoredPairs
from training.evaluation.scoring import score_examples
from training.evaluation.variants import VariantSet, evaluate_variants
from training.postprocessing.calibration import CalibrationOptions, fit_calibration
from training.postprocessing.threshold import (
    ParityConstraint,
    ThresholdChoice,
    ThresholdOptions,
    choose_threshold,
)

THRESHOLD_SPLIT = "the threshold split"


def calibrate_and_decide(
    config: RunConfig, bundle: Bundle, loaded: LoadedModel, dataset: Dataset
) -> tuple[Calibration, DecisionRule, tuple[str, ...]]:
    """The calibration of one held-out split, the threshold of another, and notes on what was not possible."""
    matcher = Matcher(bundle, loaded.tokenizer)
    notes: list[str] = []
    given = config.calibration.given
    if given is None:
        fitted = fit_calibration(
            score_examples(matcher, loaded, dataset.calibration), calibration_options(config)
        )
        calibration = fitted.calibration
        notes += fitted.notes
    else:
        calibration = Calibration(
            method="platt",
            with_title=given.with_title,
            without_title=given.without_title,
            pairs=given.pairs,
            prevalence=given.prevalence,
        )
        notes.append(f"the calibration was fitted elsewhere: {given.source}")
    taken = config.threshold.given
    if taken is None:
        choice = decide(config, score_examples(matcher, loaded, dataset.threshold), calibration)
        return calibration, choice.rule, (*notes, *threshold_notes(config, choice))
    rule = DecisionRule(
        threshold=taken.threshold,
        borderline=taken.borderline,
        rule=taken.source,
        constraint="none: the threshold was chosen elsewhere",
    )
    return calibration, rule, (*notes, f"the threshold was chosen elsewhere: {taken.source}")


def calibration_options(config: RunConfig) -> CalibrationOptions:
    """How the configuration has scores calibrated."""
    return CalibrationOptions(
        methods=config.calibration.methods, score=config.calibration.score, seed=config.seed
    )


def decide(
    config: RunConfig, pairs: ScoredPairs, calibration: Calibration, named: str = THRESHOLD_SPLIT
) -> ThresholdChoice:
    """The threshold on the calibrated probabilities of `pairs`, as the configuration has it chosen.

    `named`: in words, what the pairs are.
    """
    limit = config.threshold.parity_limit
    return choose_threshold(
        pairs.probabilities(calibration),
        pairs.labels,
        pairs.jobs,
        rng=np.random.default_rng(config.seed),
        groups=pairs.groups,
        options=ThresholdOptions(
            utility=config.threshold.utility,
            beta=config.threshold.beta,
            constraint=None if limit is None else ParityConstraint(limit=limit),
            rounds=config.evaluation.rounds,
            pairs=named,
        ),
    )


def threshold_notes(config: RunConfig, choice: ThresholdChoice, named: str = THRESHOLD_SPLIT) -> list[str]:
    """What of the parity limit was not possible."""
    limit = config.threshold.parity_limit
    if limit is None:
        return []
    if choice.largest_difference is None:
        return ["the threshold is unconstrained: no two groups are large enough to be compared"]
    if choice.feasible:
        return []
    return [
        f"no threshold keeps differences between groups within {limit:g}: the one with the smallest was "
        f"taken, {choice.largest_difference:.4f} on {named}"
    ]


def evaluate_test(
    config: RunConfig, bundle: Bundle, loaded: LoadedModel, examples: Sequence[Example]
) -> Evaluation:
    """The test split, and the audit of some of its resumes under other names, redacted and not."""
    return evaluate_bundle(
        bundle,
        loaded,
        examples,
        data=_described(config),
        options=evaluation_options(config),
        audits=variant_sets_of(examples, config.evaluation.audited),
        audit_options=_audit_options(config),
        clue_free=[replace(e, resume=e.clue_free) for e in examples if e.clue_free is not None],
    )


def audit_names(
    config: RunConfig, bundle: Bundle, loaded: LoadedModel, examples: Sequence[Example]
) -> list[VariantEvaluation]:
    """The audit of `evaluate_test` alone; empty if no example is a match."""
    audits = variant_sets_of(examples, config.evaluation.audited)
    if not audits:
        return []
    matcher, rng = Matcher(bundle, loaded.tokenizer, keeps_names=True), np.random.default_rng(config.seed)
    return [
        evaluate_variants(matcher, loaded, audits, of, rounds=config.evaluation.rounds, rng=rng)
        for of in _audit_options(config)
    ]


def _audit_options(config: RunConfig) -> tuple[CounterfactualOptions, ...]:
    redacted = CounterfactualOptions(
        attributes=("name",), names_per_group=config.evaluation.names_per_group, seed=config.seed
    )
    return replace(redacted, redact=False), redacted


def evaluate_biased(config: RunConfig, bundle: Bundle, loaded: LoadedModel) -> Evaluation:
    """The test split of the same world, with groups that differ in labels and wording."""
    synthetic = config.data.synthetic
    assert synthetic is not None
    examples = generate(synthetic.model_copy(update={"bias": config.evaluation.bias})).test
    data = "synthetic test split with biased labels and wording"
    return evaluate_bundle(bundle, loaded, examples, data=data, options=evaluation_options(config))


def variant_sets_of(examples: Sequence[Example], count: int) -> list[VariantSet]:
    """Up to `count` matching resumes, each with its job."""
    sets: list[VariantSet] = []
    seen: set[str] = set()
    for example in examples:
        if len(sets) == count:
            break
        if example.label == 1 and example.job_id not in seen:
            seen.add(example.job_id)
            resume = AuditResume(example.resume_id, example.resume)
            sets.append(VariantSet(example.job_id, example.title, example.description, (resume,)))
    return sets


def evaluation_options(config: RunConfig) -> EvaluationOptions:
    """How the configuration has pairs evaluated."""
    return EvaluationOptions(
        minimum=config.evaluation.minimum,
        rounds=config.evaluation.rounds,
        seed=config.seed,
        redact=config.evaluation.redact,
    )


def _described(config: RunConfig) -> str:
    if config.data.synthetic is None:
        return "test split of the given data"
    bias = config.data.synthetic.bias
    return (
        "synthetic test split; occupations, people, names and schools disjoint from those trained on; "
        f"bias knob: label {bias.label:g}, wording {bias.wording:g}"
    )
