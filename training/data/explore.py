"""What is in a data set: balance, lengths, gaps and leaks. Numbers only, never a text of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from service.core.documents import read_document
from service.core.errors import InputError
from service.core.redaction.policy import CATEGORIES
from service.core.redaction.redactor import Redactor
from training.data.example import Dataset, Example
from training.data.review import fingerprint, leaks

MOST_REDACTED = 600
"""Resumes per data set that are redacted for their counts, spread evenly over the splits."""

LENGTH_EDGES = (0, 50, 100, 150, 200, 250, 300, 400, 500, 700, 1000, 1500, 2500)
"""Edges of the length histograms, in words; the last bin is open."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`positives` of `n` with the 95 % Wilson interval; share and interval are None for n = 0."""

    n: int
    positives: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class GroupBalance:
    """One group in one split. `true_label` only where it is known (synthetic data)."""

    attribute: str
    group: str
    resumes: int
    label: Rate
    true_label: Rate | None


@dataclass(frozen=True, slots=True)
class Lengths:
    """Words a text: quantiles of the distinct texts, and counts by `LENGTH_EDGES`."""

    n: int
    least: int
    p5: float
    median: float
    p95: float
    most: int
    histogram: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SplitSummary:
    name: str
    pairs: int
    jobs: int
    resumes: int
    label: Rate
    grades: dict[str, int]
    resume_words: Lengths
    job_words: Lengths
    missing: dict[str, int]
    repeated_pairs: int
    repeated_resumes: int
    groups: tuple[GroupBalance, ...]


@dataclass(frozen=True, slots=True)
class RedactionBalance:
    """Mean number of spans that redaction hides in a resume of one group, by category."""

    attribute: str
    group: str
    resumes: int
    mean_by_category: dict[str, float]


@dataclass(frozen=True, slots=True)
class DataSummary:
    """Everything of the data report. `leaks` and `warnings` are sentences."""

    source: str
    splits: tuple[SplitSummary, ...]
    leaks: tuple[str, ...]
    warnings: tuple[str, ...]
    redactions: tuple[RedactionBalance, ...]
    redacted_resumes: int
    unreadable_resumes: int


def explore(dataset: Dataset, *, source: str = "synthetic") -> DataSummary:
    """Summarise every split. Redacts up to `MOST_REDACTED` resumes to count what is hidden."""
    redactions, redacted, unreadable = _redactions(dataset)
    return DataSummary(
        source=source,
        splits=tuple(_split(name, examples) for name, examples in dataset.items()),
        leaks=tuple(leak.message for leak in leaks(dataset)),
        warnings=dataset.warnings,
        redactions=redactions,
        redacted_resumes=redacted,
        unreadable_resumes=unreadable,
    )


def rate(positives: int, n: int) -> Rate:
    """A share with its 95 % Wilson score interval (Wilson 1927)."""
    if n == 0:
        return Rate(0, 0, None, None, None)
    interval = binomtest(positives, n).proportion_ci(method="wilson")
    return Rate(n, positives, positives / n, float(interval.low), float(interval.high))


def _split(name: str, examples: Sequence[Example]) -> SplitSummary:
    resumes = {_resume(e): e for e in examples}
    texts = Counter(fingerprint(e.resume) for e in resumes.values())
    pairs = Counter((fingerprint(e.description), e.title, fingerprint(e.resume)) for e in examples)
    attributes = _attributes(examples)
    missing = {"title": len({e.job_id for e in examples if e.title is None})}
    missing |= {a: sum(a not in e.groups for e in resumes.values()) for a in attributes}
    return SplitSummary(
        name=name,
        pairs=len(examples),
        jobs=len({e.job_id for e in examples}),
        resumes=len(resumes),
        label=rate(sum(e.label for e in examples), len(examples)),
        grades={
            word: sum(e.grade == grade for e in examples)
            for grade, word in enumerate(("no_fit", "potential_fit", "good_fit"))
        },
        resume_words=_lengths(e.resume for e in resumes.values()),
        job_words=_lengths(dict.fromkeys(e.description for e in examples)),
        missing=missing,
        repeated_pairs=sum(count - 1 for count in pairs.values()),
        repeated_resumes=sum(count - 1 for count in texts.values()),
        groups=tuple(_balance(examples, a, g) for a in attributes for g in _groups(examples, a)),
    )


def _resume(example: Example) -> tuple[str, str]:
    """What tells resumes apart: one person may have several."""
    return example.resume_id, fingerprint(example.resume)


def _attributes(examples: Iterable[Example]) -> list[str]:
    return sorted({attribute for e in examples for attribute in e.groups})


def _groups(examples: Iterable[Example], attribute: str) -> list[str]:
    return sorted({e.groups[attribute] for e in examples if attribute in e.groups})


def _balance(examples: Sequence[Example], attribute: str, group: str) -> GroupBalance:
    members = [e for e in examples if e.groups.get(attribute) == group]
    truths = [e.true_label for e in members if e.true_label is not None]
    return GroupBalance(
        attribute=attribute,
        group=group,
        resumes=len({_resume(e) for e in members}),
        label=rate(sum(e.label for e in members), len(members)),
        true_label=rate(sum(truths), len(truths)) if truths else None,
    )


def _lengths(texts: Iterable[str]) -> Lengths:
    words = np.array([len(text.split()) for text in texts])
    if not len(words):
        return Lengths(0, 0, 0.0, 0.0, 0.0, 0, (0,) * len(LENGTH_EDGES))
    p5, median, p95 = np.quantile(words, [0.05, 0.5, 0.95])
    counts, _ = np.histogram(words, bins=[*LENGTH_EDGES, np.inf])
    return Lengths(
        n=len(words),
        least=int(words.min()),
        p5=float(p5),
        median=float(median),
        p95=float(p95),
        most=int(words.max()),
        histogram=tuple(int(count) for count in counts),
    )


def _redactions(dataset: Dataset) -> tuple[tuple[RedactionBalance, ...], int, int]:
    """By group, how much redaction hides; how many resumes were redacted; how many could not be read."""
    redactor = Redactor(CATEGORIES)
    counts: list[tuple[Mapping[str, str], dict[str, int]]] = []
    unreadable = 0
    resumes = {_resume(e): e for _, examples in dataset.items() for e in examples}
    step = max(1, -(-len(resumes) // MOST_REDACTED))
    for example in list(resumes.values())[::step]:
        try:
            text = read_document(example.resume, field="resume").text
        except InputError:
            unreadable += 1
            continue
        counts.append((example.groups, {str(c): n for c, n in redactor.redact(text).counts.items()}))
    found = []
    chosen = [e for _, examples in dataset.items() for e in examples]
    for attribute in _attributes(chosen):
        for group in _groups(chosen, attribute):
            members = [hidden for groups, hidden in counts if groups.get(attribute) == group]
            if members:
                categories = sorted({category for hidden in members for category in hidden})
                means = {c: sum(h.get(c, 0) for h in members) / len(members) for c in categories}
                found.append(RedactionBalance(attribute, group, len(members), means))
    return tuple(found), len(counts), unreadable
