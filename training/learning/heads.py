"""Heads on top of the encoder. They serve training only: none of them is in the bundle."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

START_SLOPE = 12.0
START_CENTRE = 0.5


class MatchHead(nn.Module):
    """raw_score -> probability of a match, by a learned slope (kept positive) and centre."""

    def __init__(self) -> None:
        super().__init__()
        self.log_slope = nn.Parameter(torch.tensor(START_SLOPE).log())
        self.centre = nn.Parameter(torch.tensor(START_CENTRE))

    def forward(self, raw_scores: Tensor) -> Tensor:
        """Logits of the same shape."""
        return self.log_slope.exp() * (raw_scores - self.centre)

    def probabilities(self, raw_scores: Tensor) -> Tensor:
        """Probabilities whose gradient reaches the scores, not the head: parity would flatten it."""
        slope, centre = self.log_slope.detach().exp(), self.centre.detach()
        return torch.sigmoid(slope * (raw_scores - centre))


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return inputs.view_as(inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


def reverse_gradient(inputs: Tensor, strength: float) -> Tensor:
    """The identity forward; backward, the gradient times -strength (Ganin et al. 2016)."""
    reversed_: Tensor = _Reversal.apply(inputs, strength)  # type: ignore[no-untyped-call]
    return reversed_


class GroupClassifier(nn.Module):
    """Embedding (N, D) -> logits over the groups of each attribute. The adversary, or the multi-task head."""

    def __init__(self, dimensions: int, groups: dict[str, list[str]], hidden: int = 64) -> None:
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(dimensions, hidden), nn.ReLU())
        # A list: the users' own names of attributes need not be names that a module may have.
        self._attributes = list(groups)
        self.outputs = nn.ModuleList(nn.Linear(hidden, len(names)) for names in groups.values())

    def forward(self, embeddings: Tensor) -> dict[str, Tensor]:
        """(N, D) -> attribute to (N, number of groups)."""
        features = self.shared(embeddings)
        return {
            attribute: output(features)
            for attribute, output in zip(self._attributes, self.outputs, strict=True)
        }
