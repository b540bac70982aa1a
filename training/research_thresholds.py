"""Research only: a threshold for each group, to study what it would change.

Deciding about people by different cutoffs for protected groups is unlawful in the United States (Title VII,
42 USC 2000e-2(l)) and elsewhere. Nothing here is part of a bundle, and the service has no code that
reads it: a bundle's decision rule refuses such fields. It exists so that a study can compare the one
threshold with what group-specific ones would do. Calling it logs a warning.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from service.core.errors import EvenmatchError
from service.core.scoring import SCORE_DECIMALS
from training.evaluation.scored_pairs import Flags, Floats, ScoredPairs
from training.postprocessing.calibration import check_two_classes

FILE_NAME = "research_thresholds.json"
WARNING = (
    "RESEARCH ONLY. Group-specific thresholds must not decide about people: different cutoffs by protected "
    "group are unlawful (Title VII, 42 USC 2000e-2(l)). No bundle holds them; the service never reads them."
)

EqualisedRate = Literal["selection_rate", "true_positive_rate"]

_logger = logging.getLogger(__name__)


class ResearchThresholdsError(EvenmatchError):
    """A group too small for a threshold of its own, or a place where a service could take the file up."""

    code = "research_thresholds"
    title = "Unusable research thresholds"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GroupThreshold(_Part):
    """A group's own threshold beside the global one; rates are of `equalised`, on `n` pairs."""

    group: str
    n: int
    threshold: float
    rate_at_global_threshold: float
    rate_at_own_threshold: float


class ResearchThresholds(_Part):
    """`target`: the rate of all pairs at the global threshold; each group's own comes nearest to it."""

    warning: str = WARNING
    attribute: str
    equalised: EqualisedRate
    global_threshold: float
    target: float
    accuracy_at_global_threshold: float
    accuracy_at_own_thresholds: float
    groups: list[GroupThreshold]


def group_thresholds(
    pairs: ScoredPairs,
    probabilities: Floats,
    *,
    attribute: str,
    threshold: float,
    equalised: EqualisedRate = "selection_rate",
    minimum: int = 30,
) -> ResearchThresholds:
    """For each group the threshold whose rate is nearest that of everybody at the global one.

    Pairs of unknown group keep the global threshold. `minimum`: pairs that each rate must stand on.
    Raises `ResearchThresholdsError` for an unknown attribute or a smaller group, and `CalibrationError`
    if one class is missing.
    """
    if attribute not in pairs.groups:
        raise ResearchThresholdsError(
            f"{attribute} is no attribute of these pairs; known are {', '.join(pairs.groups) or 'none'}",
            field="attribute",
        )
    check_two_classes(pairs.labels)
    _logger.warning("%s Attribute: %s.", WARNING, attribute)
    counted = np.ones(len(pairs), dtype=np.bool_) if equalised == "selection_rate" else pairs.labels == 1
    target = float((probabilities[counted] >= threshold).mean())
    own = np.full(len(pairs), threshold)
    groups = []
    for group in pairs.group_names(attribute):
        members = pairs.members(attribute, group)
        rows: Flags = members & counted
        if rows.sum() < minimum:
            raise ResearchThresholdsError(
                f"{attribute}={group} has {int(rows.sum())} pairs for {equalised}; {minimum} are needed",
                field=attribute,
                limit=minimum,
                actual=int(rows.sum()),
            )
        candidates = np.unique(probabilities[rows])
        rates = np.array([(probabilities[rows] >= candidate).mean() for candidate in candidates])
        nearest = int(np.argmin(np.abs(rates - target)))
        own[members] = candidates[nearest]
        groups.append(
            GroupThreshold(
                group=group,
                n=int(rows.sum()),
                threshold=round(float(candidates[nearest]), SCORE_DECIMALS),
                rate_at_global_threshold=float((probabilities[rows] >= threshold).mean()),
                rate_at_own_threshold=float(rates[nearest]),
            )
        )
    return ResearchThresholds(
        attribute=attribute,
        equalised=equalised,
        global_threshold=threshold,
        target=target,
        accuracy_at_global_threshold=float(((probabilities >= threshold) == pairs.labels).mean()),
        accuracy_at_own_thresholds=float(((probabilities >= own) == pairs.labels).mean()),
        groups=groups,
    )


def write_research_thresholds(thresholds: ResearchThresholds, folder: Path) -> Path:
    """Write `research_thresholds.json` into `folder`; raises `ResearchThresholdsError` inside a bundle."""
    if (folder / "manifest.json").exists():
        raise ResearchThresholdsError(f"{folder} is a bundle; research thresholds are never part of one")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    path.write_text(thresholds.model_dump_json(indent=2) + "\n", "utf-8")
    _logger.warning("wrote %s: %s", path, WARNING)
    return path
