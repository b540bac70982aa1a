"""What a model answers: scores, decisions and redacted texts, as values and as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, overload

from evenmatch.frames import data_frame
from service.core.redaction.policy import Category
from service.core.requirements.listing import Reason, RequirementResult
from service.core.resume_warnings import JobWarning, ResumeWarning


@dataclass(frozen=True, slots=True)
class Score:
    """One resume for one job, with the fields of `POST /v1/score`.

    Attributes:
        id: What the caller calls the resume; else "resume-1" for the first.
        raw_score: The bundle's score of the pair, in [-1, 1]; with a cohort, less levels of job and resume.
        calibrated_probability: Of a match, in [0, 1], in a pool where a share `Scores.prevalence` matches.
        decision: "selected" from the bundle's threshold on, which is the same for everybody. A
            recommendation to a person: nothing is rejected by it.
        borderline: True if a person should look: the probability lies near the threshold, or a warning says
            that the text deserves less trust.
        language: As found in the text, "en"; "und" where that cannot be told.
        warnings: Why the score deserves less trust (docs/redaction.md), with counts in `warning_counts`.
        redactions: What was hidden from the model, by category; empty with `redact=False`.
        reason: With `require`: why it is not selected, whatever its probability.
        requirements: With `requirements` or `require`: what the job asks for and whether the resume states
            it, each with `text`, `kind`, `required`, `found` and `where` (docs/requirements.md).
        cohort_percentile: With a cohort, percent of its resumes that score lower on this job; None without
            one, or if it does not cover the job.
    """

    id: str
    raw_score: float
    calibrated_probability: float
    decision: Literal["selected", "not_selected"]
    borderline: bool
    language: str
    warnings: tuple[ResumeWarning, ...] = ()
    warning_counts: Mapping[ResumeWarning, int] = field(default_factory=dict)
    redactions: Mapping[Category, int] = field(default_factory=dict)
    reason: Reason | None = None
    requirements: tuple[RequirementResult, ...] | None = None
    cohort_percentile: float | None = None


@dataclass(frozen=True)
class Scores(Sequence[Score]):
    """Scores in the order in which the resumes were given.

    Attributes:
        results: One for each resume.
        bundle: Name and version of the bundle, as "minilm-fair 1.1.0".
        threshold: Inclusive, on the calibrated probability.
        redact: Whether names, schools and the like were hidden from the model.
        job_warnings: Why every decision about this job deserves less trust.
        prevalence: Share of matches for which probabilities and threshold are given; decisions do not depend
            on it.
    """

    results: tuple[Score, ...]
    bundle: str
    threshold: float
    redact: bool
    job_warnings: tuple[JobWarning, ...] = ()
    prevalence: float | None = None

    def __len__(self) -> int:
        return len(self.results)

    @overload
    def __getitem__(self, place: int) -> Score: ...
    @overload
    def __getitem__(self, place: slice) -> Scores: ...
    def __getitem__(self, place: int | slice) -> Score | Scores:
        if isinstance(place, slice):
            return replace(self, results=self.results[place])
        return self.results[place]

    def __iter__(self) -> Iterator[Score]:
        return iter(self.results)

    def __repr__(self) -> str:
        selected = sum(one.decision == "selected" for one in self.results)
        borderline = sum(one.borderline for one in self.results)
        return (
            f"<Scores of {len(self)} resumes by {self.bundle}: {selected} selected at {self.threshold:g}, "
            f"{borderline} borderline>"
        )

    def ranked(self) -> Scores:
        """The same, best first; equal scores keep their order."""
        best = sorted(self.results, key=lambda one: -one.raw_score)
        return replace(self, results=tuple(best))

    def to_frame(self) -> Any:
        """A pandas DataFrame with a row for each resume; `redactions` counts what was hidden.

        Raises `ImportError` without pandas.
        """
        rows = [
            {
                "id": one.id,
                "raw_score": one.raw_score,
                "calibrated_probability": one.calibrated_probability,
                "decision": one.decision,
                "borderline": one.borderline,
                "language": one.language,
                "warnings": ", ".join(one.warnings),
                "redactions": sum(one.redactions.values()),
                "cohort_percentile": one.cohort_percentile,
            }
            for one in self.results
        ]
        columns = [
            "id", "raw_score", "calibrated_probability", "decision", "borderline", "language", "warnings",
            "redactions", "cohort_percentile",
        ]  # fmt: skip
        return data_frame(rows, columns)


@dataclass(frozen=True, slots=True)
class RedactedResume:
    """A resume as the model would read it.

    Attributes:
        text: With a token in the place of each thing hidden, as "[NAME]".
        redactions: How often each category was hidden.
        language, warnings, warning_counts: As in `Score`.
    """

    text: str
    redactions: Mapping[Category, int]
    language: str
    warnings: tuple[ResumeWarning, ...] = ()
    warning_counts: Mapping[ResumeWarning, int] = field(default_factory=dict)
