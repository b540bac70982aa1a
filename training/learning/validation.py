"""Utility, parity and counterfactual shift on the validation split after an epoch.

Quick figures to compare epochs by. What is reported of a bundle comes from `evaluation`, with intervals, on
splits that no choice was made on.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
import torch
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score
from torch import Tensor, nn

from service.core.counterfactual.lexicons import load_groups
from service.core.errors import EvenmatchError
from service.core.scoring import MatchPolicy
from training.evaluation.parity import FAIRNESS_PARTS, GroupRates
from training.evaluation.resampling import JobResamples
from training.evaluation.scored_pairs import Flags, Floats, Labels, ScoredPairs
from training.learning.batches import Rows, chunks_of
from training.learning.interaction import Passages, raw_scores
from training.learning.model import encode_chunks
from training.learning.tokenized import PairTokenizer, Texts, TokenizedPairs

ADVICE = "lower trainer.learning_rate or the weights of the losses, or set trainer.precision to f32"

_LEAST_IN_GROUP = 5


class DivergedError(EvenmatchError):
    """A loss or score is NaN or infinite."""

    code = "training_diverged"
    title = "Training diverged"


Temperature = Callable[[Floats, Labels], float]
"""Fits the temperature of a calibration to scores and labels; raises an `EvenmatchError` where none fits."""


class Validator:
    """Scores the same pairs and the same counterfactual variants after every epoch.

    `temperature`: how the one of `epoch_metrics.csv` is fitted, which is not there where none fits.
    """

    def __init__(
        self,
        pairs: TokenizedPairs,
        tokenizer: PairTokenizer,
        policy: MatchPolicy,
        *,
        counterfactual_resumes: int,
        seed: int,
        temperature: Temperature | None = None,
    ) -> None:
        self._policy = policy
        self._temperature = temperature
        self._pairs = sorted(pairs.labels)
        self._labels = np.array([pairs.labels[pair] for pair in self._pairs])
        self._ids = [(pairs.jobs[job].id, pairs.resumes[resume].id) for job, resume in self._pairs]
        self._groups = {
            attribute: [pairs.resumes[resume].groups.get(attribute) for _, resume in self._pairs]
            for attribute in pairs.groups()
        }
        rows = Rows()
        self._jobs = [rows.of(job.passages) for job in pairs.jobs]
        self._titles = [rows.of([job.title])[0] if job.title else -1 for job in pairs.jobs]
        self._resumes = [rows.of(resume.redacted) for resume in pairs.resumes]
        self._variants = [
            (job, [rows.of(passages) for passages in variants])
            for job, variants in _drawn_variants(pairs, tokenizer, counterfactual_resumes, seed)
        ]
        self._chunks = chunks_of(rows.ids)

    def __call__(self, encoder: nn.Module, device: torch.device) -> dict[str, float]:
        """The figures of `encoder`, which is put into evaluation mode and back.

        Raises `DivergedError` if a score is not finite.
        """
        was_training = encoder.training
        encoder.eval()
        with torch.no_grad():
            chunks = [{name: t.to(device) for name, t in chunk.items()} for chunk in self._chunks]
            vectors = encode_chunks(encoder, chunks).cpu()
        encoder.train(was_training)
        scores = self._scores(vectors)
        if not np.isfinite(scores).all():
            raise DivergedError(f"scores are not finite after an epoch: {ADVICE}")
        threshold = best_f1_threshold(scores, self._labels)
        selected = scores >= threshold
        return (
            utility(scores, selected, self._labels)
            | {"threshold": threshold}
            | self._fitted_temperature(scores)
            | parity(self._scored(scores), selected)
            | self._counterfactual(vectors, scores, threshold)
        )

    def _fitted_temperature(self, scores: Floats) -> dict[str, float]:
        if self._temperature is None:
            return {}
        try:
            return {"temperature": self._temperature(scores, self._labels)}
        except EvenmatchError:  # matches do not score higher: after an epoch that is no reason to stop
            return {}

    def _scored(self, scores: Floats) -> ScoredPairs:
        return ScoredPairs(
            raw_scores=scores,
            labels=self._labels,
            jobs=[job for job, _ in self._ids],
            resumes=[resume for _, resume in self._ids],
            titled=np.array([self._titles[job] >= 0 for job, _ in self._pairs]),
            groups=self._groups,
        )

    def _scores(self, vectors: Tensor) -> Floats:
        of_jobs: dict[int, list[int]] = {}
        for job, resume in self._pairs:
            of_jobs.setdefault(job, []).append(resume)
        return np.concatenate(
            [
                self._of_job(vectors, job, [self._resumes[r] for r in resumes])
                for job, resumes in of_jobs.items()
            ]
        )

    def _of_job(self, vectors: Tensor, job: int, resumes: Sequence[Sequence[int]]) -> Floats:
        titles = torch.tensor([self._titles[job]])
        scores = raw_scores(
            vectors, Passages.of([self._jobs[job]]), titles, Passages.of(resumes), self._policy
        )
        found: Floats = scores[0].double().numpy()
        return found

    def _counterfactual(self, vectors: Tensor, scores: Floats, threshold: float) -> dict[str, float]:
        """Shift of scores, not redacted, as the name's group changes; in units of the scores' spread."""
        shifts, flips = [], []
        for job, variants in self._variants:
            varied = self._of_job(vectors, job, variants)
            shifts.append(np.abs(varied - varied.mean()))
            flips.append((varied >= threshold).any() and (varied < threshold).any())
        if not shifts:
            return {"counterfactual_shift_sd": 0.0, "counterfactual_flip_rate": 0.0}
        spread = max(float(scores.std()), 1e-9)
        return {
            "counterfactual_shift_sd": float(np.concatenate(shifts).mean()) / spread,
            "counterfactual_flip_rate": float(np.mean(flips)),
        }


def utility(scores: Floats, selected: Flags, labels: Labels) -> dict[str, float]:
    """Pooled ROC-AUC and PR-AUC of the scores, accuracy of the decisions."""
    return {
        "roc_auc": float(roc_auc_score(labels, scores)),
        "pr_auc": float(average_precision_score(labels, scores)),
        "accuracy": float((selected == labels).mean()),
    }


def parity(pairs: ScoredPairs, selected: Flags) -> dict[str, float]:
    """Largest differences between groups over all attributes, and the overall fairness score.

    The score is the mean of the demographic parity, equalized odds and predictive parity differences, in
    [0, 1], lower is better. `balanced_...`: with every group and label weighing the same. A group takes part
    in a rate that stands on five of its pairs; where fewer than two do, the difference counts as 0.
    """
    resamples = JobResamples(pairs, 0, np.random.default_rng(0))  # the pairs as they are, no intervals
    attributes = [
        GroupRates.of(pairs, pairs.labels, selected, attribute, resamples) for attribute in pairs.groups
    ]
    found: dict[str, float] = {}
    for prefix, balanced in (("", False), ("balanced_", True)):
        worst = dict.fromkeys(FAIRNESS_PARTS, 0.0)
        for rates in attributes:
            parts = rates.fairness_parts(_LEAST_IN_GROUP, balanced=balanced)
            worst = {name: max(worst[name], float(np.nan_to_num(of[0]))) for name, of in parts.items()}
        found |= {f"{prefix}{name}": value for name, value in worst.items()}
        found[f"{prefix}overall_fairness_score"] = float(np.mean(list(worst.values())))
    return found


def best_f1_threshold(scores: Floats, labels: Labels) -> float:
    """The score at and above which F1 is best."""
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(thresholds[int(np.argmax(f1[:-1]))])


def _drawn_variants(
    pairs: TokenizedPairs, tokenizer: PairTokenizer, count: int, seed: int
) -> list[tuple[int, list[Texts]]]:
    rng = random.Random(f"validation:{seed}")
    matches = [pair for pair in sorted(pairs.labels) if pairs.labels[pair] == 1]
    lexicon = load_groups("train")
    return [
        (
            job,
            [
                passages
                for _, passages in tokenizer.variants(pairs.resumes[resume], lexicon, rng, spliced=True)
            ],
        )
        for job, resume in rng.sample(matches, min(count, len(matches)))
    ]
