"""A bundle on labelled pairs, end to end: scores, figures, counterfactuals -> one `Evaluation`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from service.core.bundle import Bundle
from service.core.counterfactual_audit.plan import CounterfactualOptions
from service.core.engines.loading import LoadedModel
from service.core.matching import Matcher
from training.evaluation.decision_effect import redaction_effect
from training.evaluation.exposure import exposure_figures
from training.evaluation.parity import GroupRates, group_calibration
from training.evaluation.resampling import JobResamples, estimate
from training.evaluation.schema import (
    AttributeReport,
    DataNote,
    Estimate,
    Evaluation,
    GroupReport,
    Judgement,
    Subject,
)
from training.evaluation.scored_pairs import Floats, Labels, ScoredPairs
from training.evaluation.scoring import LabelledExample, Pair, score_examples
from training.evaluation.shift import CounterfactualExample, evaluate_counterfactual_pairs
from training.evaluation.utility import Threshold, decision_figures, ranking_figures, reliability
from training.evaluation.variants import VariantSet, evaluate_variants

_BINS = 30
_NO_SCORE = "no difference between groups can be computed"


@dataclass(frozen=True)
class EvaluationOptions:
    """`minimum`: pairs that a rate must stand on to be compared between groups.

    `intersections`: pairs of attributes that are crossed, where the data knows both.
    `redact`: score as the service does by default. `rounds`: of the bootstrap.
    """

    minimum: int = 30
    rounds: int = 500
    seed: int = 0
    redact: bool = True
    intersections: tuple[tuple[str, str], ...] = (("sex", "race_ethnicity"),)


def evaluate_bundle(
    bundle: Bundle,
    loaded: LoadedModel,
    examples: Sequence[LabelledExample],
    *,
    data: str,
    options: EvaluationOptions | None = None,
    audits: Sequence[VariantSet] = (),
    audit_options: Sequence[CounterfactualOptions] = (
        CounterfactualOptions(redact=False),
        CounterfactualOptions(redact=True),
    ),
    counterfactual_pairs: Sequence[CounterfactualExample] = (),
    clue_free: Sequence[Pair] = (),
) -> Evaluation:
    """Score `examples` with the loaded bundle and measure everything that `Evaluation` holds.

    `data` says in words what the examples are. `audits` are run once for each of `audit_options`.
    `clue_free`: pairs whose resumes hold nothing that is to be hidden.
    Raises an `InputError` for an unusable text or label.
    """
    options = options or EvaluationOptions()
    matcher = Matcher(bundle, loaded.tokenizer, keeps_names=True)
    rng = np.random.default_rng(options.seed)
    pairs = score_examples(matcher, loaded, examples, redact=options.redact)
    audited = [
        evaluate_variants(matcher, loaded, audits, of, rounds=options.rounds, rng=rng)
        for of in (audit_options if audits else ())
    ]
    shifts = {}
    if counterfactual_pairs:
        for name, redact in (("given_pairs_redacted", True), ("given_pairs_not_redacted", False)):
            shifts[name] = evaluate_counterfactual_pairs(
                matcher, loaded, counterfactual_pairs, rounds=options.rounds, rng=rng, redact=redact
            )
    subject = subject_of(bundle, loaded, redact=options.redact)
    effect = (
        redaction_effect(matcher, loaded, clue_free, rounds=options.rounds, rng=rng) if clue_free else None
    )
    found = evaluate_pairs(
        pairs, pairs.probabilities(bundle.calibration), subject, data=data, options=options
    )
    return found.model_copy(update={"audits": audited, "shifts": shifts, "redaction_without_clues": effect})


def evaluate_pairs(
    pairs: ScoredPairs,
    probabilities: Floats,
    subject: Subject,
    *,
    data: str,
    options: EvaluationOptions | None = None,
    thresholds: Floats | None = None,
) -> Evaluation:
    """Everything that scores, labels and groups say; judged by the true labels too, if there are any.

    `thresholds`: one for each pair, (N,), where they were not decided by the subject's own.
    """
    options = options or EvaluationOptions()
    pairs = pairs.with_intersections(options.intersections)
    resamples = JobResamples(pairs, options.rounds, np.random.default_rng(options.seed))
    edges = _score_edges(pairs.raw_scores)
    kinds: list[tuple[Literal["given", "true"], Labels]] = [("given", pairs.labels)]
    if pairs.true_labels is not None:
        kinds.append(("true", pairs.true_labels))
    crossings = {f"{a}_{b}" for a, b in options.intersections}
    threshold = subject.threshold if thresholds is None else thresholds
    judged = _Judge(pairs, probabilities, threshold, resamples, edges, options.minimum, crossings)
    notes = []
    if pairs.jobs_count < 2:
        notes.append("One job only: no intervals, since they are drawn over jobs.")
    if not pairs.groups:
        notes.append("No groups are known: nothing can be said about differences between them.")
    return Evaluation(
        subject=subject,
        data=DataNote(
            description=data,
            pairs=len(pairs),
            jobs=pairs.jobs_count,
            resumes=len(set(pairs.resumes)),
            digest=data_digest(pairs),
        ),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        minimum=options.minimum,
        rounds=options.rounds,
        score_edges=[round(float(edge), 6) for edge in edges],
        score_sd=round(float(pairs.raw_scores.std()), 6),
        judgements=[judged.judgement(name, labels) for name, labels in kinds],
        audits=[],
        shifts={},
        notes=notes,
    )


def subject_of(bundle: Bundle, loaded: LoadedModel, *, redact: bool) -> Subject:
    """What an evaluation of the loaded bundle is about."""
    return Subject(
        bundle=bundle.manifest.name,
        version=bundle.manifest.version,
        digest=bundle.digest,
        engine=loaded.engine.info.name,
        precision=loaded.engine.info.precision,
        redact=redact,
        threshold=bundle.decision.threshold,
        constraint=bundle.decision.constraint,
    )


def data_digest(pairs: ScoredPairs) -> str:
    """SHA-256 of the pairs' ids, labels and groups, scores left out: the same for every bundle."""
    rows = zip(pairs.jobs, pairs.resumes, pairs.labels.tolist(), pairs.titled.tolist(), strict=True)
    known = sorted((name, list(of)) for name, of in pairs.groups.items())
    return hashlib.sha256(repr((list(rows), known)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Judge:
    pairs: ScoredPairs
    probabilities: Floats
    threshold: Threshold
    resamples: JobResamples
    edges: Floats
    minimum: int
    crossings: set[str]

    def judgement(self, name: Literal["given", "true"], labels: Labels) -> Judgement:
        attributes, raw, balanced = [], [], []
        for attribute in self.pairs.groups:
            if not self.pairs.group_names(attribute):
                continue
            rates = GroupRates.of(
                self.pairs, labels, self.probabilities >= self.threshold, attribute, self.resamples
            )
            own = [rates.fairness_samples(self.minimum, balanced=kind) for kind in (False, True)]
            attributes.append(self._attribute(rates, labels, *own))
            if attribute not in self.crossings:
                raw.append(own[0])
                balanced.append(own[1])
        return Judgement(
            labels=name,
            matches=int(labels.sum()),
            utility={
                **decision_figures(self.pairs, labels, self.probabilities, self.resamples, self.threshold),
                **ranking_figures(self.pairs, labels, self.resamples),
            },
            reliability=reliability(self.probabilities, labels),
            attributes=attributes,
            fairness_score=self._worst(raw),
            balanced_fairness_score=self._worst(balanced),
        )

    def _attribute(self, rates: GroupRates, labels: Labels, raw: Floats, balanced: Floats) -> AttributeReport:
        exposure = exposure_figures(self.pairs, rates.attribute, self.resamples)
        groups = []
        for i, name in enumerate(rates.names):
            members = self.pairs.members(rates.attribute, name)
            groups.append(
                GroupReport(
                    group=name,
                    pairs=int(members.sum()),
                    resumes=len({self.pairs.resumes[row] for row in np.flatnonzero(members).tolist()}),
                    matches=int(labels[members].sum()),
                    compared=bool(members.sum() >= self.minimum),
                    figures={
                        **rates.group_figures(i),
                        **group_calibration(self.pairs, labels, self.probabilities, members, self.resamples),
                    },
                    exposure=exposure[name],
                    reliability=reliability(self.probabilities[members], labels[members]),
                    score_histogram=np.histogram(self.pairs.raw_scores[members], self.edges)[0].tolist(),
                )
            )
        return AttributeReport(
            attribute=rates.attribute,
            unknown=sum(group is None for group in self.pairs.groups[rates.attribute]),
            groups=groups,
            differences=rates.differences(self.minimum),
            fairness_score=estimate(raw, len(self.pairs), _NO_SCORE),
            balanced_fairness_score=estimate(balanced, len(self.pairs), _NO_SCORE),
        )

    def _worst(self, samples: Sequence[Floats]) -> Estimate:
        """The highest score of any attribute, resample by resample."""
        if not samples:
            return estimate(np.array([np.nan]), 0, "no groups are known")
        worst = samples[0]
        for other in samples[1:]:
            worst = np.fmax(worst, other)  # an attribute that cannot be computed says nothing
        return estimate(worst, len(self.pairs), _NO_SCORE)


def _score_edges(scores: Floats) -> Floats:
    low, high = float(scores.min()), float(scores.max())
    if high <= low:
        low, high = low - 0.01, high + 0.01
    return np.linspace(low, high, _BINS + 1)
