"""Query and answer of `GET /v1/fairness`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from service.api.schemas.base import Body, RequestBody
from service.api.schemas.times import Day, Time
from service.core.blanks import is_blank
from service.core.fairness.figure import Reason
from service.core.fairness.findings import MINIMUM
from service.store.outcomes import OutcomeKind

FreeText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]


class WindowQuery(RequestBody):
    """Which decisions are asked about."""

    # Everything in a query is a string: numbers have to be read from it.
    model_config = ConfigDict(strict=False)

    window: str | None = Field(
        None, description="The last hours or days, as `24h` or `30d`, or `all`; left out: `30d`."
    )
    start: Time | None = Field(
        None, alias="from", description="First moment, ISO 8601 with offset, in place of `window`."
    )
    end: Time | None = Field(None, alias="to", description="With `from`; left out: now.")
    ground_truth: OutcomeKind | None = Field(
        None, description="Which outcomes count as the truth; left out: `EVENMATCH_GROUND_TRUTH`."
    )
    bundle: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None, description="Digest of the only bundle to look at, as the answer and `GET /v1/model` name it."
    )
    minimum: int = Field(MINIMUM, ge=1, description="People in both groups for any conclusion.")

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: Any) -> Any:
        """A form sends its empty fields, too, as `attribute=`: a list of one blank text."""
        lists = {
            name: [one for one in value if not is_blank(one)]
            for name, value in given.items()
            if isinstance(value, list)
        }
        return {name: value for name, value in (given | lists).items() if value != []}


class FairnessQuery(WindowQuery):
    attribute: list[str] = Field([], description="An attribute or intersection; may be repeated. None: all.")
    intersections: bool = Field(True, description="Also the intersections of these attributes.")


class ReportQuery(WindowQuery):
    """What the one who makes the audit says. It is printed as it is given."""

    format: Literal["json", "csv", "html"] = "json"
    title: FreeText | None = None
    source: FreeText | None = Field(None, description="Where the data come from.")
    explanation: FreeText | None = Field(None, description="What the data are.")
    distribution_date: Day | None = Field(None, description="Since when the tool is in use.")
    exclude_under: float | None = Field(
        None, ge=0, le=0.5, description="Leave groups under this share of the people out of the ratios."
    )
    justification: FreeText | None = Field(None, description="Why groups were left out.")
    citation: list[FreeText] = Field([], max_length=20, description="In place of the citations there are.")
    limitation: list[FreeText] = Field([], max_length=20, description="One more limitation.")


class FigureOut(Body):
    value: float | None
    low: float | None = Field(description="Lower end of the 95 % interval.")
    high: float | None
    n: int
    reason: Reason | None = Field(description="Why there is no value.")


class DifferenceOut(FigureOut):
    left_out: dict[str, int] = Field(
        description="Groups, `unknown` among them, that have people and are not compared, with how many of "
        "them the rate is about: too few, or small and left out."
    )


class RateOut(Body):
    count: int
    n: int
    rate: float | None
    rate_low: float | None
    rate_high: float | None
    impact_ratio: float | None
    impact_ratio_low: float | None
    impact_ratio_high: float | None
    reason: Reason | None = Field(description="Why there is no impact ratio.")
    test: Literal["fisher_exact", "two_proportion_z"] | None
    p_value: float | None
    adjusted_p_value: float | None = Field(description="Holm, over all pairs of groups of the attribute.")
    tested_ratio: float | None
    adverse_impact: bool | None = Field(
        description="Enough people, under four fifths, and significant. False is no proof of the opposite."
    )


class OutcomeRatesOut(Body):
    known: int = Field(description="People whose outcome is known.")
    selected_positive: int
    selected_negative: int
    not_selected_positive: int
    not_selected_negative: int
    true_positive_rate: FigureOut
    false_positive_rate: FigureOut
    precision: FigureOut


class FairnessGroupOut(Body):
    group: str
    label: str = Field(description="The group as people read it.")
    people: int
    share_of_known: float | None
    small: bool = Field(description="Under 2 % of the people whose group is known.")
    left_out: bool
    selection: RateOut
    scoring: RateOut
    outcomes: OutcomeRatesOut


class ComparisonOut(Body):
    reference: str | None = Field(description="Highest rate; impact ratios are against it.")
    tested_against: str | None = Field(description="Highest rate of those with enough people.")
    reason: Reason | None = Field(description="Why nothing is compared.")


class FairnessAttributeOut(Body):
    attribute: str
    label: str = Field(description="The attribute as people read it.")
    people: int
    unknown: int
    selection: ComparisonOut
    scoring: ComparisonOut
    groups: list[FairnessGroupOut]
    differences: dict[str, DifferenceOut] = Field(
        description="Largest difference between the rates of two groups; groups under `minimum` are left out."
    )


class WindowOut(Body):
    start: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to", description="Not in the window.")
    resolution_seconds: int = Field(description="What was asked for is widened to full hours of UTC.")


class ScoresOut(Body):
    scored: int
    median: float | None = Field(description="Of `calibrated_probability`, over the whole window.")
    exact: bool = Field(description="False if scores that were to be read are erased or purged.")
    missing: int = Field(description="How many.")


class MethodOut(Body):
    confidence: float
    alpha: float
    minimum: int
    four_fifths: float
    small_share: float


class FairnessOut(Body):
    window: WindowOut
    ground_truth: OutcomeKind
    people: int = Field(description="Decisions; who applied twice is two.")
    first_day: date | None
    last_day: date | None
    bundles: dict[str, int] = Field(description="Decisions by the digest of the bundle that made them.")
    outside_schema: int = Field(description="Decisions of groups that the schema no longer knows.")
    scores: ScoresOut
    method: MethodOut
    attributes: list[FairnessAttributeOut]
    findings: list[str]
    notes: list[str]
