"""What adaptation changed, on texts that nothing was learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from service.core.encoder import Encoder
from training.adaptation.objective import encoded, mean_of
from training.adaptation.texts import UnlabelledPosting, UnlabelledTexts
from training.learning.batches import Rows

NEIGHBOURS = 10


class HeldOut(BaseModel):
    """Figures on texts that nothing was learned from.

    `postings`, `resumes`: how many. `titles_first`: share of titles for which their own body is the nearest
    of all; `sections_first`: the same of a resume's first half and second half. None where there are fewer
    than two. `neighbours_kept`: mean share of a text's ten nearest others that the base model had among its
    ten; None before, and where there are no more than eleven texts.
    """

    model_config = ConfigDict(frozen=True)

    postings: int
    resumes: int
    titles_first: float | None
    sections_first: float | None
    neighbours_kept: float | None


@dataclass(frozen=True)
class Measured:
    """Figures, and the nearest others of each text, with which a later state is compared."""

    figures: HeldOut
    nearest: list[set[int]]


@torch.no_grad()
def measure(encoder: Encoder, texts: UnlabelledTexts, before: Measured | None) -> Measured:
    """The figures of `texts`, and how far their neighbourhoods are from those `before`."""
    encoder.eval()
    rows = Rows()
    titles = [rows.of([posting.title]) for posting in texts.postings]
    bodies = [rows.of(posting.passages) for posting in texts.postings]
    firsts = [rows.of(resume[: len(resume) // 2]) for resume in texts.resumes]
    seconds = [rows.of(resume[len(resume) // 2 :]) for resume in texts.resumes]
    if not rows.ids:
        return Measured(HeldOut(postings=0, resumes=0, titles_first=None, sections_first=None,
                                 neighbours_kept=None), [])  # fmt: skip
    vectors = encoded(encoder, rows.ids)
    documents = [*bodies, *[first + second for first, second in zip(firsts, seconds, strict=True)]]
    nearest = _nearest(mean_of(vectors, documents))
    kept = None
    if before is not None and before.nearest:
        shares = [len(now & then) / len(then) for now, then in zip(nearest, before.nearest, strict=True)]
        kept = round(float(np.mean(shares)), 4)
    return Measured(
        HeldOut(
            postings=len(titles),
            resumes=len(firsts),
            titles_first=_first(vectors, titles, bodies, texts.postings),
            sections_first=_first(vectors, firsts, seconds, None),
            neighbours_kept=kept,
        ),
        nearest,
    )


def _first(
    vectors: Tensor,
    ones: list[list[int]],
    others: list[list[int]],
    postings: Sequence[UnlabelledPosting] | None,
) -> float | None:
    if len(ones) < 2:
        return None
    cosines = mean_of(vectors, ones) @ mean_of(vectors, others).T
    if postings is not None:
        alike = torch.tensor([[a is not b and a.is_like(b) for b in postings] for a in postings])
        cosines = cosines.masked_fill(alike.to(cosines.device), -torch.inf)
    own = torch.arange(len(ones), device=cosines.device)
    return round(float((cosines.argmax(dim=1) == own).float().mean()), 4)


def _nearest(vectors: Tensor) -> list[set[int]]:
    if len(vectors) <= NEIGHBOURS + 1:  # all others are near
        return []
    cosines = (vectors @ vectors.T).fill_diagonal_(-torch.inf)
    return [set(row) for row in cosines.topk(NEIGHBOURS, dim=1).indices.tolist()]
