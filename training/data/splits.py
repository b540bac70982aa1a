"""Professions dealt out to splits, and the proof that splits share nothing that they must not share."""

from __future__ import annotations

import random

from training.data.example import SPLITS, SplitName
from training.data.professions import Atlas, Profession

SHARES: dict[SplitName, float] = {
    "train": 0.66,
    "validation": 0.06,
    "calibration": 0.08,
    "threshold": 0.08,
    "test": 0.12,
}
SPLIT_SEED = 4


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
