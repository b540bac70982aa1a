"""The bias audit of decisions that were made, as New York City's Local Law 144 asks for it, from counts.

It states counts, rates, ratios and their uncertainty. It is no verdict, and no legal opinion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from service.core.errors import AuditOptionsError
from service.core.fairness.comparison import (
    AttributeComparison,
    GroupRate,
    RateComparison,
    compare_groups,
)
from service.core.fairness.counts import GroupCounts
from service.core.fairness.figure import Reason
from service.core.fairness.findings import SMALL_SHARE, FairnessOptions
from service.core.fairness.rates import RateKind, ratio_text
from service.core.group_titles import attribute_title, group_title

TITLE = "Bias audit"

CITATIONS = (
    "Rules of the City of New York, title 6, sections 5-300 to 5-304 (Local Law 144 of 2021, automated "
    "employment decision tools): selection rate, scoring rate, impact ratio, categories, unknown "
    "people, categories under 2 %, what a summary states. They set no line of 0.8.",
    "29 CFR 1607.4(D), Uniform Guidelines on Employee Selection Procedures: a rate under four fifths of "
    "the highest is generally regarded as evidence of adverse impact; smaller differences may be, and "
    "greater ones may not, by statistical and practical significance and by small numbers.",
    "Title VII of the Civil Rights Act, section 703(l), 42 USC 2000e-2(l): no adjusting of scores, and "
    "no different cutoffs, by race, color, religion, sex or national origin. A ratio in this report is "
    "no licence for either.",
)

LIMITATIONS = (
    "Local Law 144 sets no line for the impact ratio. Four fifths is a rule of thumb of federal "
    "agencies, and alone it gives false alarms: a finding here also needs enough people in both groups "
    "and statistical significance.",
    "Rates say how often groups were selected, not why, nor how well the selected did. Equal rates do "
    "not show that equally able people were treated alike, nor do unequal ones show the opposite.",
    "Intervals and tests take every decision as independent of the others. People who applied several "
    "times, or jobs with different pools, make them look surer than they are.",
    "The interval of an impact ratio takes its reference as given. The reference is the group that came "
    "out highest, so chance alone pushes the other ratios below 1. The tests allow for that, the "
    "intervals do not.",
    "p-values are adjusted over all pairs of groups within one attribute and one kind of rate, not over "
    "the report.",
    "Local Law 144 asks for an independent auditor. A report by those who made or use the tool does not "
    "take that place.",
)


@dataclass(frozen=True, slots=True)
class BiasAuditData:
    """`people` counts decisions: who applied twice is two. None where nothing of the kind is known.

    `window`: [from, to) that was asked for. `bundles`: decisions by the digest of the bundle that made them.
    `ground_truth`: which kind of outcome counts. `notes`: what else the data lack, in sentences.
    """

    people: int
    first_decision: date | None = None
    last_decision: date | None = None
    without_time: int = 0
    scored: int = 0
    median_score: float | None = None
    window: tuple[datetime, datetime] | None = None
    bundles: Mapping[str, int] = field(default_factory=dict)
    ground_truth: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BiasAuditStatement:
    """What the one who makes the audit says; `limitations` come after the standing ones."""

    title: str = TITLE
    source: str | None = None
    explanation: str | None = None
    distribution_date: date | None = None
    justification: str | None = None
    citations: tuple[str, ...] = CITATIONS
    limitations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BiasAudit:
    created: datetime
    statement: BiasAuditStatement
    data: BiasAuditData
    options: FairnessOptions
    attributes: tuple[AttributeComparison, ...]

    @property
    def justification(self) -> str | None:
        """Why groups were left out of the ratios; None if none was."""
        if not any(size.left_out for attribute in self.attributes for size in attribute.groups):
            return None
        return self.statement.justification or (
            f"Under {100 * self.options.small_share:g} % of the people whose group is known: a ratio of so "
            "few says little, and as the highest rate theirs would set the scale for everybody else."
        )

    @property
    def limitations(self) -> list[str]:
        """What this audit cannot say: what its data lack, what no such audit can, what the statement adds."""
        return [*_lacking(self), *LIMITATIONS, *self.statement.limitations]

    @property
    def sections(self) -> list[tuple[str, list[str]]]:
        """Findings by attribute and rate: adverse impact, that none was found, or why nothing can be said."""
        return [
            (f"{attribute_title(attribute.attribute)}, {comparison.kind} rates", list(_findings(comparison)))
            for attribute in self.attributes
            for comparison in attribute.rates
            # That there are no scores is a limitation of the data, said once.
            if comparison.reason is not Reason.NO_SCORES
        ]

    @property
    def findings(self) -> list[str]:
        """All findings as sentences that stand alone."""
        return [f"{about}: {sentence}" for about, sentences in self.sections for sentence in sentences]


def make_bias_audit(
    counts: Mapping[str, Mapping[str, GroupCounts]],
    data: BiasAuditData,
    statement: BiasAuditStatement,
    options: FairnessOptions,
    created: datetime,
) -> BiasAudit:
    """Compare the groups of every attribute and intersection of `counts`.

    Raises `ImpossibleCountsError` and `AuditOptionsError`.
    """
    if not counts:
        raise AuditOptionsError("there are no attributes to compare groups by", field="groups")
    attributes = (compare_groups(attribute, groups, options) for attribute, groups in counts.items())
    return BiasAudit(created, statement, data, options, tuple(attributes))


def conclusion(comparison: RateComparison, result: GroupRate) -> str:
    """A few words for the column "adverse impact" of a table."""
    if result.impact_ratio.reason is Reason.LEFT_OUT:
        return "left out"
    if result.impact_ratio.reason is not None:
        return "not computable"
    if result.finding is None:
        return "reference" if result.group == comparison.reference else "reference of the tests"
    if not result.finding.enough_people:
        return "too few people"
    words = "not significant" if result.finding.below_four_fifths else "not below 4/5"
    words = "indicated" if result.finding.adverse_impact else words
    # The ratio that this rests on is then another than the impact ratio.
    other = comparison.tested_against != comparison.reference
    return f"{words}: {ratio_text(result.finding.ratio)}" if other else words


def _findings(comparison: RateComparison) -> Iterator[str]:
    if comparison.reason is not None:
        yield f"Impact ratios are not computable: {comparison.reason.text}."
        return
    if comparison.tested_against != comparison.reference:
        yield (
            f"Conclusions are against {_title(comparison.tested_against)}, the highest rate among groups "
            f"with enough people; {_title(comparison.reference)}, the highest of all, has too few."
        )
    indicated = [finding for finding in comparison.findings if finding.adverse_impact]
    yield from (finding.text for finding in indicated)
    tested = [finding for finding in comparison.findings if finding.enough_people]
    if tested and not indicated:
        yield (
            f"No adverse-impact finding among the {len(tested) + 1} groups with enough people, which is no "
            "proof that there is none: see the intervals."
        )
    below = [f.group for f in tested if f.below_four_fifths and not f.adverse_impact]
    if below:
        yield f"Below four fifths, but not significantly: {_titles(below)}."
    few = [finding.group for finding in comparison.findings if not finding.enough_people]
    if few:
        yield f"Too few people for a conclusion: {_titles(few)}."


def _lacking(audit: BiasAudit) -> Iterator[str]:
    data, statement = audit.data, audit.statement
    if statement.source is None or statement.explanation is None:
        yield "The source or the explanation of the data is not stated; 6 RCNY 5-303 asks for both."
    if statement.distribution_date is None:
        yield "The date on which the tool was put to use is not stated; 6 RCNY 5-303 asks for it."
    yield from data.notes
    yield from _left_out_too_large(audit)
    if data.people and data.first_decision is None:
        yield "When the decisions were made is not known."
    elif data.without_time:
        yield f"{_people(data.without_time)} of {data.people:,} have no decision time."
    if data.people == 0:
        yield "There are no decisions: nothing is computable."
    elif data.scored == 0:
        yield f"There are no scores: {RateKind.SCORING} rates are not computable."
    elif data.scored < data.people:
        yield (
            f"{_people(data.people - data.scored)} of {data.people:,} have no score and are in no scoring "
            "rate."
        )
    for attribute in audit.attributes:
        if attribute.unknown:
            yield (
                f"{attribute_title(attribute.attribute)}: {_people(attribute.unknown)} of "
                f"{attribute.people:,} are of unknown group and in no ratio. If they were decided about "
                "differently, no ratio shows it."
            )


def _left_out_too_large(audit: BiasAudit) -> Iterator[str]:
    # The rule counts all of the data, unknown people too.
    for attribute in audit.attributes:
        large = [
            size.group
            for size in attribute.groups
            if size.left_out and size.n / attribute.people >= SMALL_SHARE
        ]
        if large:
            yield (
                f"{attribute_title(attribute.attribute)}: {_titles(large)} left out of the ratios, of "
                f"{100 * SMALL_SHARE:g} % of the data or more. 6 RCNY 5-301(d) lets only categories under it "
                "be left out."
            )


def _title(group: str | None) -> str:
    return "" if group is None else group_title(group)


def _titles(groups: Iterable[str]) -> str:
    return ", ".join(map(group_title, groups))


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
