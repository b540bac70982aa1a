"""The eraser of a trained bundle: fitted on what names leave in its passages' vectors."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from service.core.concept_eraser import Eraser
from service.core.counterfactual.lexicons import load_groups
from service.core.engines.loading import LoadedModel
from service.core.tokenization import TokenIds
from training.config import ErasureConfig
from training.learning.tokenized import PairTokenizer, ResumeTokens, TokenizedPairs
from training.postprocessing.concept_erasure import fit_leace, fit_projection, one_hot

_SETS_EACH = 3
"""Sets of one name a group: the first where the name stood, the others inside the text."""


def fit_eraser(
    config: ErasureConfig, pairs: TokenizedPairs, tokenizer: PairTokenizer, loaded: LoadedModel, *, seed: int
) -> Eraser | None:
    """None if `method` is none. The concept is the race x sex group whose name stands in the passage.

    Resumes of the training split are read under names of each group; only passages that hold a name count.
    """
    if config.method == "none":
        return None
    rng = random.Random(f"erasure:{seed}")
    chosen = rng.sample(pairs.resumes, min(config.resumes, len(pairs.resumes)))
    texts: list[TokenIds] = []
    groups: list[str] = []
    for resume in chosen:
        for ids, group in _named_passages(resume, tokenizer, rng):
            texts.append(ids)
            groups.append(group)
    vectors: NDArray[np.float32] = loaded.engine.embed(texts)
    fit = fit_leace if config.method == "leace" else fit_projection
    return fit(vectors, one_hot(groups))


def _named_passages(
    resume: ResumeTokens, tokenizer: PairTokenizer, rng: random.Random
) -> list[tuple[TokenIds, str]]:
    lexicon = load_groups("train")
    found = []
    for i in range(_SETS_EACH):
        drawn = tokenizer.variants(resume, lexicon, rng, spliced=i > 0)
        shared = set.intersection(*(set(passages) for _, passages in drawn))
        found += [(ids, group) for group, passages in drawn for ids in passages if ids not in shared]
    return found
