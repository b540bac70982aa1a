"""What adaptation asks for: parts of one document together, neighbourhoods as the base model had them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from service.core.encoder import Encoder
from service.core.tokenization import TokenIds
from training.learning.batches import chunks_of
from training.learning.model import encode_chunks


def matched_parts(first: Tensor, second: Tensor, temperature: float, alike: Tensor | None = None) -> Tensor:
    """InfoNCE (van den Oord et al. 2018), in nats: row i of one belongs to row i of the other, both ways.

    Args:
        first: unit vectors (N, D).
        second: unit vectors (N, D).
        temperature: in units of cosine.
        alike: (N, N), True where another row would be as right and is left out; its diagonal is ignored.
    """
    similarity = first @ second.T / temperature
    if alike is not None:
        others = alike & ~torch.eye(len(first), dtype=torch.bool, device=alike.device)
        similarity = similarity.masked_fill(others, -torch.inf)
    own = torch.arange(len(first), device=first.device)
    either = functional.cross_entropy(similarity, own) + functional.cross_entropy(similarity.T, own)
    return either / 2


def moved_neighbours(now: Tensor, before: Tensor, temperature: float) -> Tensor:
    """Mean Kullback-Leibler divergence, in nats, of each text's neighbourhood from that of the base model.

    A neighbourhood is the softmax of the text's cosines to all others. `now` and `before` are unit vectors
    (N, D) of the same texts; N is 3 or more, since of two each has one neighbour only.
    """
    itself = torch.eye(len(now), dtype=torch.bool, device=now.device)

    def neighbourhood(vectors: Tensor) -> Tensor:
        cosines = (vectors @ vectors.T / temperature)[~itself].view(len(vectors), -1)
        return functional.log_softmax(cosines, dim=-1)

    return functional.kl_div(
        neighbourhood(now), neighbourhood(before), reduction="batchmean", log_target=True
    )


def mean_of(vectors: Tensor, rows: list[list[int]]) -> Tensor:
    """Unit vectors (N, D): the mean of the rows of each."""
    return functional.normalize(torch.stack([vectors[of].mean(0) for of in rows]), dim=-1)


def encoded(encoder: Encoder, texts: Sequence[TokenIds]) -> Tensor:
    """Unit vectors of the texts, (N, D)."""
    device = next(encoder.parameters()).device
    chunks = [{name: part.to(device) for name, part in chunk.items()} for chunk in chunks_of(texts)]
    return encode_chunks(encoder, chunks)
