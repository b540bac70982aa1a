"""The engine's own noise: how far raw_score moves when the same text is computed in another way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from service.core.base_model import find_verified
from service.core.bundle import Bundle
from service.core.encoder import load_encoder
from service.core.engines.engine import padded
from service.core.engines.loading import LoadedModel
from service.core.matching import Matcher, TokenizedJob, TokenizedResume
from service.core.tokenization import TokenIds
from service.core.vectors import Vectors

Embed = Callable[[Sequence[TokenIds]], Vectors]


def measure(
    bundle: Bundle, loaded: LoadedModel, job: dict[str, str], resumes: Sequence[str]
) -> dict[str, float]:
    """Largest |difference of raw_score| over `resumes`, by what was changed."""
    matcher = Matcher(bundle, loaded.tokenizer)
    tokenized = [matcher.tokenize_resume(text) for text in resumes]
    of_job = matcher.tokenize_job(job["description"], job["title"])

    def scores(embed: Embed) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([_score(matcher, embed, of_job, resume) for resume in tokenized])

    engine = loaded.engine.embed
    backwards = tokenized[::-1]
    everything = [ids for resume in backwards for ids in resume.texts]
    together = dict(zip(everything, engine(everything), strict=True))
    alone = scores(engine)
    torch_alone = scores(_torch(bundle, lambda batch: [[ids] for ids in batch], 0))
    return {
        "another batch and order, as served": _gap(
            alone,
            scores(lambda batch: np.stack([together[i] if i in together else engine([i])[0] for i in batch])),
        ),
        "torch fp32: batches of 32 padded to the longest": _gap(
            torch_alone, scores(_torch(bundle, lambda batch: [list(batch)], 0))
        ),
        "torch fp32: alone, padded to 128 tokens": _gap(
            torch_alone, scores(_torch(bundle, lambda batch: [[ids] for ids in batch], 128))
        ),
        f"as served ({loaded.engine.info.precision}) against torch fp32": _gap(alone, torch_alone),
    }


def _torch(
    bundle: Bundle, batches: Callable[[Sequence[TokenIds]], list[list[TokenIds]]], length: int
) -> Embed:
    base: Path = find_verified(bundle.manifest.base_model)
    encoder = load_encoder(base, bundle.manifest.pooling, bundle.adapter_path, bundle.eraser)

    def embed(texts: Sequence[TokenIds]) -> Vectors:
        parts = []
        for batch in batches(texts):
            ids, mask = padded(
                batch, max(length, *map(len, batch)) if len(batch) > 1 else max(length, len(batch[0]))
            )
            with torch.inference_mode():
                parts.append(encoder(torch.from_numpy(ids), torch.from_numpy(mask)).numpy())
        return np.concatenate(parts)

    return embed


def _score(matcher: Matcher, embed: Embed, job: TokenizedJob, resume: TokenizedResume) -> float:
    return matcher.raw_score(job, embed(job.texts), embed(resume.texts))


def _gap(
    one: np.ndarray[tuple[int], np.dtype[np.float64]], other: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> float:
    return float(np.abs(one - other).max())
