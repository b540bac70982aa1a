"""Hard negatives: resumes of the split that the model of the moment ranks high for a job they do not fit.

Mined at each epoch's begin and every so many steps after it, so that a run that is resumed from a
checkpoint, which an epoch ends with, mines what it would have mined. As ANCE does (Xiong et al. 2021), but
without its index: a company's split is small enough to be scored whole, or by a sample of it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import torch
from torch import nn

from service.core.scoring import MatchPolicy
from training.learning.batches import Rows, chunks_of
from training.learning.interaction import Passages, raw_scores
from training.learning.model import encode_chunks
from training.learning.tokenized import TokenizedPairs

_JOBS_AT_ONCE = 32


class NegativeMiner:
    """Scores the split's jobs against its resumes. `most`: resumes that are looked at, drawn anew each time.

    `each`: hardest resumes that are kept for a job.
    """

    def __init__(
        self, pairs: TokenizedPairs, policy: MatchPolicy, *, most: int, each: int, seed: int
    ) -> None:
        self._pairs = pairs
        self._policy = policy
        self._most = most
        self._each = each
        self._seed = seed

    def mine(self, encoder: nn.Module, device: torch.device, step: int) -> Mapping[int, Sequence[int]]:
        """By job, resumes that it does not match, the highest score first; `encoder` is left as it was."""
        rng = random.Random(f"mining:{self._seed}:{step}")
        everybody = range(len(self._pairs.resumes))
        looked_at = sorted(rng.sample(everybody, min(self._most, len(everybody))))
        rows = Rows()
        resumes = [rows.of(self._pairs.resumes[number].redacted) for number in looked_at]
        jobs = sorted(self._pairs.by_job)
        of_jobs = [rows.of(self._pairs.jobs[job].passages) for job in jobs]
        vectors = _encoded(encoder, rows, device)
        found: dict[int, list[int]] = {}
        for start in range(0, len(jobs), _JOBS_AT_ONCE):
            part = slice(start, start + _JOBS_AT_ONCE)
            untitled = torch.full((len(of_jobs[part]),), -1)
            scores = raw_scores(
                vectors, Passages.of(of_jobs[part]), untitled, Passages.of(resumes), self._policy
            )
            for job, of in zip(jobs[part], scores, strict=True):
                ranked = (looked_at[int(i)] for i in torch.argsort(of, descending=True, stable=True))
                negatives = (resume for resume in ranked if self._pairs.is_negative(job, resume))
                found[job] = [resume for resume, _ in zip(negatives, range(self._each), strict=False)]
        return found


def _encoded(encoder: nn.Module, rows: Rows, device: torch.device) -> torch.Tensor:
    was_training = encoder.training
    encoder.eval()
    with torch.no_grad():
        chunks = [{name: t.to(device) for name, t in chunk.items()} for chunk in chunks_of(rows.ids)]
        vectors = encode_chunks(encoder, chunks).cpu()
    encoder.train(was_training)
    return vectors
