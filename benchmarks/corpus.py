"""Texts to measure with: synthetic resumes of exactly so many tokens."""

from __future__ import annotations

from service.core.documents import normalise
from service.core.tokenization import TextTokenizer
from training.data.example import Example
from training.data.synthetic.generator import GeneratorConfig, generate

TOKENS = 244


def resumes(tokenizer: TextTokenizer, count: int, *, tokens: int = TOKENS, seed: int = 1) -> list[str]:
    """`count` different resumes of exactly `tokens` tokens, special tokens included."""
    # A job brings three resumes, and two make a text: some cannot be cut to the length.
    texts = iter(dict.fromkeys(example.resume for example in _examples(2 * count, seed)))
    found: list[str] = []
    for text in texts:
        cut = _cut(tokenizer, normalise(f"{text}\n{next(texts)}"), tokens)
        if cut is not None:
            found.append(cut)
        if len(found) == count:
            break
    return found


def job(seed: int = 2) -> dict[str, str]:
    """The job of a scoring request."""
    example = next(example for example in _examples(20, seed) if example.title)
    return {"title": str(example.title), "description": example.description}


def _examples(jobs: int, seed: int) -> list[Example]:
    others = {"validation_jobs": 1, "calibration_jobs": 1, "threshold_jobs": 1, "test_jobs": 1}
    return generate(GeneratorConfig(seed=seed, train_jobs=jobs, potential_each=1, **others)).train


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
