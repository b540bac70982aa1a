"""Pairs of three occupations, and a tiny model that has read them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import torch

from service.core.base_model import BaseModel, describe
from service.core.encoder import Encoder, load_encoder
from service.core.scoring import MatchPolicy
from tests.support.bundles import write_test_bundle
from tests.support.tiny_models import write_bge_like
from training.data.example import Example
from training.learning.adapter import AdapterConfig, add_adapter
from training.learning.tokenized import PairTokenizer, TokenizedPairs

_WORDS = {
    "nurse": ["nurse", "ward", "patient", "care", "surgical", "registered"],
    "engineer": ["engineer", "python", "java", "backend", "service", "software"],
    "accountant": ["accountant", "payment", "database", "manage", "senior", "warehouse"],
}
_SEXES = ("female", "male")


def examples_of(jobs_each: int, *, prefix: str, seed: int = 0) -> list[Example]:
    """Every job with two resumes of its own occupation and two of others; groups in turn."""
    rng = random.Random(seed)
    resumes = {
        (name, i): f"Jane Doe\njane.doe@example.com\n\n{' '.join(rng.choices(words, k=14))}.\nClass of 2012"
        for name, words in _WORDS.items()
        for i in range(2 * jobs_each)
    }
    examples = []
    for name, words in _WORDS.items():
        others = [key for key in resumes if key[0] != name]
        for i in range(jobs_each):
            description = " ".join(rng.choices(words, k=20))
            chosen = [(name, 2 * i), (name, 2 * i + 1), *rng.sample(others, 2)]
            examples += [
                Example(
                    job_id=f"{prefix}-{name}-{i}",
                    title=f"senior {name}" if i % 2 else None,
                    description=description,
                    resume_id=f"{prefix}-{owner}-{number}",
                    resume=resumes[owner, number],
                    label=int(owner == name),
                    grade=2 if owner == name else 0,
                    groups={"sex": _SEXES[number % 2]},
                    occupation=owner,
                    job_occupation=name,
                    paraphrase=" ".join(resumes[owner, number].split()[::-1]),
                )
                for owner, number in chosen
            ]
    return examples


@dataclass(frozen=True)
class World:
    base: BaseModel
    tokenizer: PairTokenizer
    pairs: TokenizedPairs
    policy: MatchPolicy

    def encoder(self, config: AdapterConfig | None = None) -> Encoder:
        torch.manual_seed(0)
        encoder = load_encoder(self.base.folder, self.base.pooling)
        add_adapter(encoder, config or AdapterConfig(r=4))
        return encoder


def world_of(folder: Path, *, layers: int = 2, heads: int = 4) -> World:
    """A tiny model in the form of bge-large, and pairs that it has read."""
    model = write_bge_like(folder / "model", layers=layers, heads=heads)
    bundle = write_test_bundle(folder / "bundle", str(model))
    base = describe(str(model))
    tokenizer = PairTokenizer.of(bundle, base)
    pairs = tokenizer.tokenize(examples_of(4, prefix="train"))
    return World(base, tokenizer, pairs, MatchPolicy())
