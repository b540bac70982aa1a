"""A proposal to re-calibrate a bundle: what was found, and what a copy of the bundle would be given.

It is a JSON file with numbers and names of groups only. Nothing applies it but `apply_proposal`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from service.core.bundle import Bundle, write_bundle
from service.core.calibration import Calibration
from service.core.errors import CalibrationError, TableError
from service.core.manifest import MAX_NAME_CHARACTERS, DecisionRule

PROPOSAL_VERSION: Literal["evenmatch.calibration_proposal/1"] = "evenmatch.calibration_proposal/1"
RECALIBRATION = "recalibration.json"
"""The proposal, in the bundle that was made of it."""

Cut = Literal["same_decisions", "precision"]

_SUFFIX = "-recalibrated"
_MOST_BYTES = 8 * 2**20


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Part):
    """A figure with its 95 % interval. None: not computable, or no interval."""

    value: FiniteFloat | None
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None


class BundleRef(_Part):
    name: str
    version: str
    digest: str


class Counts(_Part):
    """`decisions` of the bundle, and the `outcomes` known of them; both also of the selected alone."""

    decisions: int
    selected: int
    outcomes: int
    outcomes_of_selected: int
    matches: int
    postings: int
    candidates: int


class Quality(_Part):
    """Of probabilities against outcomes (`service.core.calibration_quality` has the formulas)."""

    mean_probability: FiniteFloat
    brier: FiniteFloat
    brier_skill_score: FiniteFloat
    expected_calibration_error: FiniteFloat
    expected_calibration_error_by_mass: FiniteFloat


class GroupFigures(_Part):
    """Of one group. Rates and means are None below `LEAST_OF_GROUP` of what they stand on.

    `mean_before` and `mean_after`: mean probability over its outcomes, beside the `match_rate`.
    `selection_rate`: of its decisions, today; `selection_rates` by proposed threshold.
    """

    attribute: str
    group: str
    decisions: int
    outcomes: int
    matches: int
    match_rate: FiniteFloat | None
    mean_before: FiniteFloat | None
    mean_after: FiniteFloat | None
    selection_rate: FiniteFloat | None
    selection_rates: dict[Cut, FiniteFloat | None]


class ProposedThreshold(_Part):
    """`threshold` and `borderline` on the new probability; `today`: the same cut on the bundle's own.

    `expected_precision` and `expected_recall` are of all decisions, by the new probabilities;
    `observed_precision` is of those whose outcome is known.
    """

    threshold: FiniteFloat = Field(gt=0, lt=1)
    borderline: tuple[FiniteFloat, FiniteFloat]
    today: FiniteFloat
    selection_rate: FiniteFloat
    expected_precision: FiniteFloat | None
    expected_recall: FiniteFloat | None
    observed_precision: Interval
    observed: int


class CalibrationProposal(_Part):
    """What was found, and what is proposed.

    `before`: the bundle's own probabilities against the outcomes; `shifted`: the same after prior shift to
    the share of matches among them; `after`: of the new curve, on postings that it was not fitted on (None if
    they are too few). `slope` and `intercept` are of the bundle's log odds: 1 and 0 change nothing.
    """

    schema_version: Literal["evenmatch.calibration_proposal/1"] = PROPOSAL_VERSION
    created: str
    bundle: BundleRef
    source: str
    ground_truth: str | None
    counts: Counts
    slope: Interval
    intercept: Interval
    calibration: Calibration
    observed_prevalence: FiniteFloat
    before: Quality
    shifted: Quality
    after: Quality | None
    groups: list[GroupFigures]
    thresholds: dict[Cut, ProposedThreshold]
    precision: FiniteFloat | None
    warnings: list[str]


def read_proposal(file: Path) -> CalibrationProposal:
    """Raises `TableError`, which names the file and the field, if it is no proposal."""
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise TableError(f"{file} has more than {_MOST_BYTES:,} bytes: it is no proposal")
        return CalibrationProposal.model_validate_json(file.read_bytes())
    except OSError as error:
        raise TableError(f"{file} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise TableError(f"{file} is no proposal of `evenmatch calibrate`: {where}: {first['msg']}") from None


def apply_proposal(proposal: CalibrationProposal, bundle: Bundle, folder: Path, cut: Cut) -> Bundle:
    """Write a copy of `bundle` with the proposed calibration and threshold to `folder`, and return it.

    The copy is another bundle, by name and digest; its model card says where its figures come from. Raises
    `CalibrationError` if the proposal is of another bundle or has no such threshold, `BundleError` if
    `folder` is there already.
    """
    if bundle.digest != proposal.bundle.digest:
        raise CalibrationError(
            f"the proposal is for bundle {proposal.bundle.name} {proposal.bundle.version} "
            f"({proposal.bundle.digest}); {bundle.path} is {bundle.manifest.name} {bundle.manifest.version} "
            f"({bundle.digest})"
        )
    chosen = proposal.thresholds.get(cut)
    if chosen is None:
        there = ", ".join(proposal.thresholds)
        raise CalibrationError(f"the proposal has no threshold {cut}; it has {there}")
    manifest = bundle.manifest
    name, version = _renamed(manifest.name, manifest.version)
    counts = proposal.counts
    return write_bundle(
        folder,
        manifest.model_copy(update={"name": name, "version": version}),
        {
            "calibration.json": proposal.calibration,
            "decision.json": _decision(proposal, chosen, bundle.decision, cut),
            RECALIBRATION: proposal,
            "README.md": _note(proposal, bundle, f"{counts.outcomes:,}", f"{counts.matches:,}"),
        },
        rest_of=bundle,
    )


def _renamed(name: str, version: str) -> tuple[str, str]:
    if name.endswith(_SUFFIX):
        major, minor, patch = version.split(".")
        return name, f"{major}.{minor}.{int(patch) + 1}"
    return name[: MAX_NAME_CHARACTERS - len(_SUFFIX)] + _SUFFIX, version


def _decision(
    proposal: CalibrationProposal, chosen: ProposedThreshold, before: DecisionRule, cut: Cut
) -> DecisionRule:
    counts = proposal.counts
    on = f"on {counts.outcomes:,} outcomes of {counts.postings:,} postings, {proposal.created[:10]}"
    if cut == "same_decisions":
        rule = f"re-calibrated {on}; decisions are those of {proposal.bundle.name}: {before.rule}"
        constraint = before.constraint
    else:
        rule = f"re-calibrated {on}; lowest threshold with an expected precision of {proposal.precision:g}"
        constraint = f"none; that of {proposal.bundle.name} was not looked at again"
    return DecisionRule(
        threshold=chosen.threshold,
        borderline=chosen.borderline,
        rule=rule[:1_000],
        constraint=constraint,
    )


def _note(proposal: CalibrationProposal, bundle: Bundle, outcomes: str, matches: str) -> str:
    card = bundle.path / "README.md"
    before = card.read_text("utf-8") if card.is_file() else ""
    return (
        f"> **Re-calibrated** {proposal.created[:10]} on {outcomes} outcomes, {matches} of them matches "
        f"(`{RECALIBRATION}`). The encoder is that of {proposal.bundle.name} {proposal.bundle.version}. What "
        "follows, `metrics.json` and the report were made for that bundle: their figures of ranking hold "
        "here, those of probabilities, calibration and decisions do not.\n\n" + before
    )
