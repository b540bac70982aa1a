"""Professions dealt out to splits, and the proof that splits share nothing that they must not share."""

from __future__ import annotations

import hashlib
import random
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from training.data.errors import LeakageError
from training.data.example import SPLITS, Dataset, Example, SplitName
from training.data.synthetic.people import name_pool
from training.data.synthetic.professions import Atlas, Profession

SHARES: dict[SplitName, float] = {
    "train": 0.66,
    "validation": 0.06,
    "calibration": 0.08,
    "threshold": 0.08,
    "test": 0.12,
}
SPLIT_SEED = 4


def normalised(text: str) -> str:
    """Letters and digits in small letters, single blanks: equal for texts that differ in form only."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


@lru_cache(maxsize=4096)
def fingerprint(text: str) -> str:
    """A digest of the normalised text, so that texts can be compared without being kept."""
    return hashlib.sha256(normalised(text).encode()).hexdigest()


_KINDS: dict[str, Callable[[Example], str | None]] = {
    "pairs (same job and resume text)": lambda e: fingerprint(e.description) + fingerprint(e.resume),
    "resumes (same text)": lambda e: fingerprint(e.resume),
    "jobs (same text)": lambda e: fingerprint(e.description),
    "resume ids": lambda e: e.resume_id,
    "job ids": lambda e: e.job_id,
    "occupations": lambda e: e.occupation,
    "occupations of jobs": lambda e: e.job_occupation,
}


@dataclass(frozen=True, slots=True)
class Leak:
    """`count` things of one kind that stand in both splits."""

    kind: str
    one: SplitName
    other: SplitName
    count: int

    @property
    def message(self) -> str:
        return f"{self.one} and {self.other} share {self.count} {self.kind}"


def split_professions(atlas: Atlas, seed: int = SPLIT_SEED) -> dict[SplitName, list[Profession]]:
    """Deal whole ISCO families out, so that neighbours stay together.

    A profession of an earlier split that is nearly the same job as one of a later split is left out.
    """
    families: dict[str, list[Profession]] = {}
    for profession in atlas.professions:
        families.setdefault(profession.family, []).append(profession)
    order = sorted(families)
    random.Random(seed).shuffle(order)
    total = len(atlas.professions)
    found: dict[SplitName, list[Profession]] = {split: [] for split in SPLITS}
    for family in order:
        # The split that lacks most of its share gets the next family.
        lacking = max(SPLITS, key=lambda s: (SHARES[s] * total - len(found[s])) / SHARES[s])
        found[lacking] += families[family]
    held: set[str] = set()
    for split in reversed(SPLITS):
        found[split] = [p for p in found[split] if not (atlas.duplicates[p.id] & held)]
        held |= {p.id for p in found[split]}
    return found


def check_disjoint(dataset: Dataset) -> None:
    """Prove that splits share no job, no person, no text and, where known, no occupation.

    Texts are compared after normalisation. For synthetic data see also `check_sources`.

    Raises:
        LeakageError: Names what leaks, between which splits, and how much; never a text.
    """
    found = leaks(dataset)
    if found:
        raise LeakageError("; ".join(leak.message for leak in found))


def leaks(dataset: Dataset) -> list[Leak]:
    """What stands in two splits, most severe first; empty if nothing does."""
    seen: dict[str, dict[SplitName, set[str]]] = {kind: {} for kind in _KINDS}
    for split, examples in dataset.items():
        for kind, key in _KINDS.items():
            seen[kind][split] = {value for e in examples if (value := key(e)) is not None}
    found = []
    for kind, by_split in seen.items():
        for one, other in combinations(SPLITS, 2):
            shared = by_split[one] & by_split[other]
            if shared:
                found.append(Leak(kind, one, other, len(shared)))
    return found


def check_sources(by_split: Mapping[SplitName, Sequence[Profession]], atlas: Atlas) -> None:
    """Prove that what synthetic splits are made of is disjoint.

    That is: professions, ISCO families, nearly equal professions, given names, surnames, schools, clubs.

    Raises:
        LeakageError: Names what leaks and between which splits.
    """
    sources: dict[str, dict[SplitName, set[str]]] = {
        "professions": {s: {p.id for p in of} for s, of in by_split.items()},
        "families of professions": {s: {p.family for p in of} for s, of in by_split.items()},
    }
    pools = {split: name_pool(split) for split in SPLITS}
    for kind in ("given_names", "surnames", "schools", "affinity"):
        sources[kind.replace("_", " ")] = {
            split: {value for values in getattr(pool, kind).values() for value in values}
            for split, pool in pools.items()
        }
    for one, other in combinations(SPLITS, 2):
        for kind, values in sources.items():
            shared = values[one] & values[other]
            if shared:
                raise LeakageError(f"{one} and {other} share {len(shared)} {kind}")
        near = [p.id for p in by_split[one] if atlas.duplicates[p.id] & sources["professions"][other]]
        if near:
            raise LeakageError(f"{len(near)} professions of {one} are nearly the same as one of {other}")
