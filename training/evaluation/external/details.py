"""Where a bundle is right and wrong on a set: by category, by pair, and by people's groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from training.evaluation.external.labelled_set import LabelledSet
from training.evaluation.external.ranking import pooled_samples
from training.evaluation.external.resampling import BothWays, TwoWayResamples
from training.evaluation.external.schema import (
    CategoryReport,
    ExternalAttribute,
    ExternalGroup,
    Figure,
    Interval,
    ScoredError,
)
from training.evaluation.external.systems import SystemScores
from training.evaluation.parity import GroupRates
from training.evaluation.schema import Estimate
from training.evaluation.scored_pairs import Flags, Floats, ScoredPairs

EXCERPT = 500
"""Characters."""

_ONE_CLASS = "one class only: matches and others are needed"


def by_category(system: SystemScores, resamples: TwoWayResamples) -> list[CategoryReport]:
    """The pairs of each category's postings, the largest category first; one posting may count in several."""
    data = resamples.data
    numbers: dict[str, list[int]] = {}
    for number, posting in enumerate(data.postings):
        for category in posting.categories:
            numbers.setdefault(category, []).append(number)
    people = Counter(category for resume in data.resumes for category in resume.categories)
    found = []
    for category, postings in sorted(numbers.items(), key=lambda item: (-len(item[1]), item[0])):
        rows = np.concatenate([data.rows_of_postings[posting] for posting in postings])
        samples = pooled_samples(system.scores, resamples, rows, 1.0)
        found.append(
            CategoryReport(
                category=category,
                postings=len(postings),
                resumes=people[category],
                pairs=len(rows),
                matches=int(data.labels[rows].sum()),
                roc_auc=resamples.figure(samples["roc_auc"], len(rows), _ONE_CLASS),
                average_precision=resamples.figure(samples["average_precision"], len(rows), _ONE_CLASS),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class WorstPairs:
    """Numbers of the worst pairs, the worst first."""

    missed: list[int]
    false: list[int]


def worst_pairs(system: SystemScores, data: LabelledSet, most: int) -> WorstPairs:
    """The `most` matches of the lowest probability, and the `most` others of the highest."""
    order = np.lexsort((system.scores, system.decided_on))
    missed = [int(i) for i in order if data.labels[i] == 1][:most]
    false = [int(i) for i in order[::-1] if data.labels[i] == 0][:most]
    return WorstPairs(missed, false)


def error_list(system: SystemScores, data: LabelledSet, most: int) -> list[ScoredError]:
    """The worst missed matches, then the worst false ones, by ids and places; no text."""
    assert system.probabilities is not None
    assert system.selected is not None
    worst = worst_pairs(system, data, most)
    ranks = _ranks(system.scores, data)
    found = []
    kinds: tuple[tuple[Literal["missed", "false"], list[int]], ...] = (
        ("missed", worst.missed),
        ("false", worst.false),
    )
    for kind, pairs in kinds:
        for pair in pairs:
            resume, posting = data.resumes[data.pair_resumes[pair]], data.postings[data.pair_postings[pair]]
            found.append(
                ScoredError(
                    kind=kind,
                    resume_id=resume.id,
                    posting_id=posting.id,
                    resume_place=resume.place,
                    posting_place=posting.place,
                    resume_categories=list(resume.categories),
                    posting_categories=list(posting.categories),
                    raw_score=float(system.scores[pair]),
                    calibrated_probability=float(system.probabilities[pair]),
                    selected=bool(system.selected[pair]),
                    rank=int(ranks[pair]),
                    candidates=len(data.rows_of_postings[int(data.pair_postings[pair])]),
                )
            )
    return found


def errors_with_text(errors: Sequence[ScoredError], data: LabelledSet) -> Iterator[dict[str, Any]]:
    """Each error with the beginning of its resume and posting, as given and not redacted: private text."""
    resumes = {resume.place: resume for resume in data.resumes}
    postings = {posting.place: posting for posting in data.postings}
    for error in errors:
        resume, posting = resumes[error.resume_place], postings[error.posting_place]
        yield {
            **error.model_dump(),
            "posting_title": posting.title,
            "resume_excerpt": resume.text[:EXCERPT],
            "posting_excerpt": posting.text[:EXCERPT],
        }


def _ranks(scores: Floats, data: LabelledSet) -> Floats:
    """1 + how many of the posting's resumes score higher, (N,)."""
    ranks = np.empty(len(scores))
    for rows in data.rows_of_postings:
        ordered = np.sort(scores[rows])
        ranks[rows] = 1 + len(rows) - np.searchsorted(ordered, scores[rows], side="right")
    return ranks


def by_group(system: SystemScores, resamples: TwoWayResamples, minimum: int) -> list[ExternalAttribute]:
    """Selection rates, TPR, FPR and precision of each group, and differences, at the bundle's threshold.

    Intervals are from resamples of resumes and postings together.
    """
    data = resamples.data
    attributes = sorted({name for resume in data.resumes for name in resume.groups})
    if not attributes or system.selected is None:
        return []
    pairs = _scored_pairs(system, data, attributes)
    both = BothWays(resamples)
    return [_attribute(pairs, system.selected, name, both, minimum) for name in attributes]


def _attribute(
    pairs: ScoredPairs, selected: Flags, attribute: str, both: BothWays, minimum: int
) -> ExternalAttribute:
    rates = GroupRates.of(pairs, pairs.labels, selected, attribute, both)
    groups = []
    for number, name in enumerate(rates.names):
        members = pairs.members(attribute, name)
        groups.append(
            ExternalGroup(
                group=name,
                pairs=int(members.sum()),
                resumes=len({pairs.resumes[row] for row in np.flatnonzero(members).tolist()}),
                matches=int(pairs.labels[members].sum()),
                compared=bool(members.sum() >= minimum),
                figures={key: _figure(of) for key, of in rates.group_figures(number).items()},
            )
        )
    return ExternalAttribute(
        attribute=attribute,
        unknown=sum(group is None for group in pairs.groups[attribute]),
        groups=groups,
        differences={key: _figure(of) for key, of in rates.differences(minimum).items()},
    )


def _scored_pairs(system: SystemScores, data: LabelledSet, attributes: list[str]) -> ScoredPairs:
    resumes = [data.resumes[i] for i in data.pair_resumes.tolist()]
    return ScoredPairs(
        raw_scores=system.scores,
        labels=data.labels,
        jobs=[str(i) for i in data.pair_postings.tolist()],
        resumes=[str(i) for i in data.pair_resumes.tolist()],
        titled=np.array([data.postings[i].title is not None for i in data.pair_postings.tolist()]),
        groups={name: [resume.groups.get(name) for resume in resumes] for name in attributes},
    )


def _figure(of: Estimate) -> Figure:
    interval = None if of.low is None or of.high is None else Interval(low=of.low, high=of.high)
    return Figure(value=of.value, n=of.n, by_both=interval, reason=of.reason)
