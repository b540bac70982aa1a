"""Utility, parity and counterfactual shift on the validation split, with the model as it stands.

Quick figures to compare epochs by. What is reported of a bundle comes from `evaluation`, with intervals, on
splits that no choice was made on.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    precision_recall_curve,
    precision_score,
    roc_auc_score,
)
from torch import Tensor, nn

from service.core.counterfactual.lexicons import load_groups
from service.core.errors import EvenmatchError
from service.core.scoring import MatchPolicy
from training.learning.batches import Rows, chunks_of
from training.learning.interaction import Passages, raw_scores
from training.learning.model import encode_chunks
from training.learning.tokenized import PairTokenizer, Texts, TokenizedPairs

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

ADVICE = "lower trainer.learning_rate or the weights of the losses, or set trainer.precision to f32"

_LEAST_IN_GROUP = 5


class DivergedError(EvenmatchError):
    """Training has led to numbers that are none."""

    code = "training_diverged"
    title = "Training diverged"


class Validator:
    """Scores the same pairs and the same counterfactual variants after every epoch."""

    def __init__(
        self,
        pairs: TokenizedPairs,
        tokenizer: PairTokenizer,
        policy: MatchPolicy,
        *,
        counterfactual_resumes: int,
        seed: int,
    ) -> None:
        self._policy = policy
        self._pairs = sorted(pairs.labels)
        self._labels = np.array([pairs.labels[pair] for pair in self._pairs])
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
        selected = (scores >= threshold).astype(np.int64)
        return (
            utility(scores, selected, self._labels)
            | parity(self._labels, selected, self._groups)
            | self._counterfactual(vectors, scores, threshold)
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


def utility(scores: Floats, selected: Labels, labels: Labels) -> dict[str, float]:
    """Pooled ROC-AUC and PR-AUC of the scores, accuracy of the decisions."""
    return {
        "roc_auc": float(roc_auc_score(labels, scores)),
        "pr_auc": float(average_precision_score(labels, scores)),
        "accuracy": float(accuracy_score(labels, selected)),
    }


def parity(labels: Labels, selected: Labels, groups: Mapping[str, Sequence[str | None]]) -> dict[str, float]:
    """Largest differences between groups over all attributes, and the overall fairness score.

    The score is the mean of the demographic parity, equalized odds and predictive parity differences, in
    [0, 1], lower is better. `balanced_...`: with every group and label weighing the same. Groups with fewer
    than five pairs of a label are left out; without two groups the differences are 0.
    """
    plain = _differences(labels, selected, groups, balanced=False)
    balanced = _differences(labels, selected, groups, balanced=True)
    return plain | {f"balanced_{name}": value for name, value in balanced.items()}


def best_f1_threshold(scores: Floats, labels: Labels) -> float:
    """The score at and above which F1 is best."""
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(thresholds[int(np.argmax(f1[:-1]))])


def _differences(
    labels: Labels, selected: Labels, groups: Mapping[str, Sequence[str | None]], *, balanced: bool
) -> dict[str, float]:
    worst = {"demographic_parity": 0.0, "equalized_odds": 0.0, "predictive_parity": 0.0}
    for of in groups.values():
        rows, names = _counted(labels, of)
        if len(set(names)) < 2:
            continue
        y, chosen = labels[rows], selected[rows]
        weights = _balancing(y, names) if balanced else np.ones(len(y))
        metrics = {
            "demographic_parity": selection_rate,
            "true_positive_rate": true_positive_rate,
            "false_positive_rate": false_positive_rate,
            "predictive_parity": _precision,
        }
        frame = MetricFrame(
            metrics=metrics,
            y_true=y,
            y_pred=chosen,
            sensitive_features=names,
            sample_params={name: {"sample_weight": weights} for name in metrics},
        )
        gap = frame.difference(method="between_groups")
        found = {
            "demographic_parity": gap["demographic_parity"],
            "equalized_odds": max(gap["true_positive_rate"], gap["false_positive_rate"]),
            "predictive_parity": gap["predictive_parity"],
        }
        worst = {name: max(worst[name], float(found[name])) for name in worst}
    differences = {f"{name}_difference": value for name, value in worst.items()}
    return differences | {"overall_fairness_score": float(np.mean(list(worst.values())))}


def _counted(labels: Labels, groups: Sequence[str | None]) -> tuple[NDArray[np.int64], list[str]]:
    """Rows of groups with enough matches and enough others, and their groups."""
    enough = {
        group
        for group in set(groups) - {None}
        for members in [labels[[g == group for g in groups]]]
        if min((members == 1).sum(), (members == 0).sum()) >= _LEAST_IN_GROUP
    }
    rows = [i for i, group in enumerate(groups) if group in enough]
    return np.array(rows, dtype=np.int64), [str(groups[i]) for i in rows]


def _balancing(labels: Labels, names: Sequence[str]) -> Floats:
    """Weights by which every (group, label) cell counts the same."""
    cells = list(zip(names, labels.tolist(), strict=True))
    counts = {cell: cells.count(cell) for cell in set(cells)}
    return np.array([1.0 / counts[cell] for cell in cells])


def _precision(y_true: Labels, y_pred: Labels, sample_weight: Floats) -> float:
    return float(precision_score(y_true, y_pred, sample_weight=sample_weight, zero_division=0.0))


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
