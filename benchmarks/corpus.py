"""Texts to measure with: synthetic resumes of exactly so many tokens."""

from __future__ import annotations

import random

from service.core.documents import normalise
from service.core.tokenization import TextTokenizer
from training.data.pairs import write_job, write_resume
from training.data.synthetic.vocabulary import load_occupations

TOKENS = 244


def resumes(tokenizer: TextTokenizer, count: int, *, tokens: int = TOKENS, seed: int = 1) -> list[str]:
    """`count` different resumes of exactly `tokens` tokens, special tokens included."""
    rng = random.Random(seed)
    occupations = load_occupations()
    found: list[str] = []
    while len(found) < count:
        text = normalise(
            write_resume(rng.choice(occupations), rng) + "\n" + write_resume(rng.choice(occupations), rng)
        )
        cut = _cut(tokenizer, text, tokens)
        if cut is not None:
            found.append(cut)
    return found


def job(seed: int = 2) -> dict[str, str]:
    """The job of a scoring request."""
    rng = random.Random(seed)
    occupation = rng.choice(load_occupations())
    return {"title": occupation.titles[0], "description": write_job(occupation, occupation.titles[0], rng)}


def _cut(tokenizer: TextTokenizer, text: str, tokens: int) -> str | None:
    words = text.split(" ")
    for length in range(1, len(words) + 1):
        candidate = " ".join(words[:length])
        size = len(tokenizer.encode_all([candidate], "resume")[0])
        if size == tokens:
            return candidate
        if size > tokens:
            return None
    return None
