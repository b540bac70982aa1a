"""What each token adds to a score: integrated gradients through the encoder.

    attribution(i) = (x_i - b_i) . integral over a in [0, 1] of dF / dx_i at b + a (x - b)

(Sundararajan et al. 2017, arXiv 1703.01365.) x_i is the embedding of token i, b_i that of the mask token, by
which the model was taught what a word that is not known looks like. Attributions add up to F(x) - F(b), but
for the error of the sum that stands for the integral (Gauss-Legendre). F may have kinks, as the choice of the
best passages has: it is continuous.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from service.core.encoder import Encoder
from service.core.engines.engine import padded
from service.core.occupations import OccupationPolicy, Profile
from service.core.scoring import MatchPolicy
from service.core.tokenization import TokenIds

_TOKENS = 2_048
"""Of a forward pass, padding included."""


@dataclass(frozen=True, slots=True)
class PathIntegral:
    """`attributions`: of each sequence, one a token, in the unit of F. `value` F(x), `baseline` F(b)."""

    attributions: list[NDArray[np.float64]]
    value: float
    baseline: float


def integrated_gradients(
    encoder: Encoder,
    sequences: Sequence[TokenIds],
    replaced: Sequence[Sequence[bool]],
    mask_id: int | None,
    function: Callable[[Tensor], Tensor],
    *,
    steps: int,
) -> PathIntegral:
    """Attributions of the tokens of `sequences` to `function` of their vectors.

    Args:
        encoder: on any device, in f32; used by one thread at a time.
        sequences: token ids of N texts, special tokens included.
        replaced: for each token whether the baseline has the mask token in its place; others get 0.
        mask_id: the mask token; None for a model without one, whose baseline is a vector of zeros.
        function: vectors (N, D) -> a number, differentiable.
        steps: points on the path at which gradients are taken; each costs a pass forward and one backward.
    """
    embedder: Any = encoder.backbone.get_input_embeddings()  # type: ignore[operator]  # a transformers model
    device = embedder.weight.device
    ids, mask = (torch.from_numpy(one).to(device) for one in padded(sequences, max(map(len, sequences))))
    away = torch.zeros_like(mask, dtype=torch.bool)
    for row, flags in enumerate(replaced):
        away[row, : len(flags)] = torch.tensor(flags, device=device)
    with torch.no_grad():
        actual = embedder(ids)  # (N, T, H)
        blank = torch.zeros_like(actual) if mask_id is None else embedder(torch.full_like(ids, mask_id))
        difference = torch.where(away.unsqueeze(-1), actual - blank, torch.zeros_like(actual))
        start = actual - difference

    def embeddings(at: Tensor) -> Tensor:
        """Places on the path (A,) -> (A, N, T, H)."""
        between: Tensor = start + at.view(-1, 1, 1, 1) * difference
        return between

    def values(embedded: Tensor) -> Tensor:
        """(A, N, T, H) -> F at each, (A,)."""
        many = len(embedded)
        hook = embedder.register_forward_hook(lambda *_: embedded.flatten(0, 1))
        try:
            vectors = encoder(ids.repeat(many, 1), mask.repeat(many, 1))  # (A N, D)
        finally:
            hook.remove()
        each: Tensor = torch.stack([function(of_one) for of_one in vectors.view(many, len(sequences), -1)])
        return each

    with torch.no_grad():
        baseline, value = values(embeddings(torch.tensor([0.0, 1.0], device=device))).tolist()
    nodes, weights = np.polynomial.legendre.leggauss(steps)  # on [-1, 1]
    sums = np.zeros(tuple(ids.shape))
    at_once = max(1, _TOKENS // ids.numel())
    for first in range(0, steps, at_once):
        part = slice(first, first + at_once)
        places = torch.tensor((nodes[part] + 1) / 2, dtype=torch.float32, device=device)
        embedded = embeddings(places).requires_grad_()
        (gradient,) = torch.autograd.grad(values(embedded).sum(), embedded)
        slopes = (gradient * difference).sum(-1).cpu().numpy()  # (A, N, T)
        sums += np.tensordot(weights[part] / 2, slopes, axes=1)
    return PathIntegral([row[: len(one)] for row, one in zip(sums, sequences, strict=True)], value, baseline)


def late_interaction_of(
    job: Tensor, resume: Tensor, title: Tensor | None, policy: MatchPolicy, weights: Tensor | None = None
) -> Tensor:
    """`core/scoring.py`'s `late_interaction` in torch, differentiable and not rounded; shapes as there.

    `weights`: `passage_weights` of the job, (J,).
    """
    t = policy.temperature
    counted = policy.counted(len(resume))
    log_weights = torch.zeros(len(job), device=job.device) if weights is None else (weights * len(job)).log()
    nearness = torch.logsumexp(t * (job @ resume.T) + log_weights[:, None], dim=0)  # (R,)
    body = (torch.logsumexp(nearness.topk(counted).values, dim=0) - math.log(len(job) * counted)) / t
    if title is None:
        return body
    of_title = (resume @ title).topk(min(policy.title_passages, len(resume))).values.mean()
    return (1.0 - policy.title_weight) * body + policy.title_weight * of_title


def with_occupations(
    similarity: Tensor, resume: Tensor, job: Profile, occupations: Tensor, policy: OccupationPolicy
) -> Tensor:
    """`core/scorer.py`'s raw_score of a late interaction, differentiable and not rounded.

    `resume`: unit vectors of its passages, (R, D); `occupations` (K, D).
    """
    nearest = (resume @ occupations.T).max(dim=1).values  # (R,)
    counted = nearest.topk(policy.counted(len(resume))).indices
    nearness = occupations @ resume[counted].mean(0)  # (K,)
    standard = (nearness - nearness.mean()) / nearness.std(correction=0)
    places = torch.nn.functional.normalize(standard.clamp(min=0.0), dim=0)
    likeness = places @ torch.from_numpy(job.places).to(places)
    levels = policy.level_weight * job.level + policy.resume_level_weight * nearness.mean()
    return (similarity + policy.weight * likeness - levels) / policy.whole
