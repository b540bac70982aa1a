"""Checks of the splits before training: repeats, leaks between splits, missing classes, small groups."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Literal

from training.data.example import SPLITS, DataError, Dataset, Example, LeakageError, SplitName, from_splits

OnLeak = Literal["error", "drop"]

_FITTED: tuple[SplitName, ...] = ("train", "validation", "calibration", "threshold")
LEAST_GROUP = 10


def normalised(text: str) -> str:
    """Letters and digits in small letters, single blanks: equal for texts that differ in form only."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def fingerprint_once(text: str) -> str:
    """As `fingerprint`, for texts that are too many to be remembered."""
    return hashlib.sha256(normalised(text).encode()).hexdigest()


@lru_cache(maxsize=1 << 18)  # of a large data set, each text is asked for several times
def fingerprint(text: str) -> str:
    """A digest of the normalised text, so that texts can be compared without being kept."""
    return fingerprint_once(text)


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


def review(splits: Mapping[SplitName, list[Example]], on_leak: OnLeak, warnings: list[str]) -> Dataset:
    """The data as a `Dataset` with its warnings.

    Raises:
        DataError: A split is empty, a split that something is fitted on has one class only, or the same pair
            has two labels.
        LeakageError: Two splits share a resume or a pair, and `on_leak` is `error`.
    """
    unique = {split: without_repeats(split, splits[split], warnings) for split in SPLITS}
    clean = _without_leaks(unique, on_leak, warnings)
    for split in SPLITS:
        _check_classes(split, clean[split], warnings)
    _check_groups(clean, warnings)
    return from_splits(clean, warnings)


def without_repeats(split: str, examples: list[Example], warnings: list[str]) -> list[Example]:
    """The pairs, each once. Raises `DataError` if one stands there twice with different labels."""
    seen: dict[tuple[str, str, str | None], Example] = {}
    contradictions = 0
    for e in examples:
        first = seen.setdefault((fingerprint(e.description), fingerprint(e.resume), e.title), e)
        contradictions += first.grade != e.grade
    if contradictions:
        raise DataError(f"{split}: {contradictions} pairs stand there twice with different labels")
    if len(seen) < len(examples):
        warnings.append(f"{split}: {len(examples) - len(seen)} repeated pairs were dropped")
    return list(seen.values())


def _without_leaks(
    splits: Mapping[SplitName, list[Example]], on_leak: OnLeak, warnings: list[str]
) -> dict[SplitName, list[Example]]:
    texts = {split: {fingerprint(e.resume) for e in of} for split, of in splits.items()}
    persons = {split: {e.resume_id for e in of} for split, of in splits.items()}
    messages = []
    clean: dict[SplitName, list[Example]] = {split: list(of) for split, of in splits.items()}
    for one, other in combinations(SPLITS, 2):
        leaking = [
            e for e in clean[one] if e.resume_id in persons[other] or fingerprint(e.resume) in texts[other]
        ]
        if leaking:
            messages.append(f"{one} and {other} share the resumes of {len(leaking)} pairs of {one}")
            dropped = {(e.job_id, e.resume_id) for e in leaking}
            clean[one] = [e for e in clean[one] if (e.job_id, e.resume_id) not in dropped]
        jobs = {e.job_id for e in splits[one]} & {e.job_id for e in splits[other]}
        if jobs:
            warnings.append(f"{one} and {other} share {len(jobs)} jobs: figures on {other} may flatter")
    if messages and on_leak == "error":
        raise LeakageError("; ".join(messages) + ". `on_leak: drop` leaves them out of the first-named split")
    warnings += [f"{message}: they were dropped there" for message in messages]
    return clean


def _check_classes(split: SplitName, examples: list[Example], warnings: list[str]) -> None:
    if not examples:
        raise DataError(f"{split} has no examples: give more data, or a file for it")
    labels = {e.label for e in examples}
    if len(labels) == 1:
        only = labels.pop()
        message = f"{split} has one class only: all {len(examples)} labels are {only}"
        if split in _FITTED:
            raise DataError(message)
        warnings.append(f"{message}; its utility is not computable")


def _check_groups(splits: Mapping[SplitName, list[Example]], warnings: list[str]) -> None:
    """Warn of groups that stand in some splits only, are small, or have one class."""
    found: dict[tuple[str, str], dict[SplitName, list[int]]] = {}
    for split, examples in splits.items():
        for e in examples:
            for attribute, group in e.groups.items():
                found.setdefault((attribute, group), {}).setdefault(split, []).append(e.label)
    attributes: dict[str, set[str]] = {}
    for (attribute, group), by_split in sorted(found.items()):
        attributes.setdefault(attribute, set()).add(group)
        absent = [split for split in SPLITS if split not in by_split]
        if absent:
            warnings.append(
                f"{attribute}={group} is empty in {', '.join(absent)}: left out of fairness figures there"
            )
        for split, labels in by_split.items():
            if len(labels) < LEAST_GROUP:
                warnings.append(f"{attribute}={group} has only {len(labels)} pairs in {split}")
            elif len(set(labels)) == 1:
                warnings.append(f"{attribute}={group} has one class only in {split}: no rate by class there")
    for attribute, groups in attributes.items():
        if len(groups) == 1:
            warnings.append(f"{attribute} has one group only: its fairness is not computable")
