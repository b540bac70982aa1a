"""What the bundle's own evaluation found, for alerts to compare live figures with.

Of `metrics.json` only what is needed here is read; a bundle without the file, of another format, or with
figures that could not be computed simply has no baseline.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, FiniteFloat, ValidationError

log = logging.getLogger(__name__)

FILE = "metrics.json"
_SCHEMA = "evenmatch.evaluation/1"

Measure = Literal["demographic_parity", "equalized_odds", "equal_opportunity", "predictive_parity"]
MEASURES: tuple[Measure, ...] = get_args(Measure)


class _Figure(BaseModel):
    value: FiniteFloat | None


class _Attribute(BaseModel):
    attribute: str
    differences: dict[str, _Figure]


class _Bin(BaseModel):
    high: FiniteFloat
    n: int


class _Judgement(BaseModel):
    labels: str
    attributes: list[_Attribute]
    reliability: list[_Bin]


class _Evaluation(BaseModel):
    schema_version: Literal["evenmatch.evaluation/1"]
    judgements: list[_Judgement]


@dataclass(frozen=True, slots=True)
class Baselines:
    """Differences between groups by attribute and measure, and the distribution of scores.

    `score_shares`: of the bundle's test pairs, the share with a calibrated probability up to each edge.
    """

    parity: dict[tuple[str, Measure], float] = field(default_factory=dict)
    score_shares: dict[float, float] = field(default_factory=dict)


def read_baselines(bundle: Path) -> Baselines:
    """Baselines of the bundle in folder `bundle`, of the labels as given; empty where there are none."""
    try:
        content = json.loads((bundle / FILE).read_bytes())
    except (OSError, ValueError):
        return Baselines()
    if not isinstance(content, dict) or content.get("schema_version") != _SCHEMA:
        return Baselines()
    try:
        evaluation = _Evaluation.model_validate(content)
    except ValidationError as error:
        log.warning("%s has %d fields that cannot be used: no baselines", bundle / FILE, error.error_count())
        return Baselines()
    judgement = next((j for j in evaluation.judgements if j.labels == "given"), None)
    return Baselines() if judgement is None else Baselines(_parity(judgement), _shares(judgement))


def _parity(judgement: _Judgement) -> dict[tuple[str, Measure], float]:
    return {
        (of.attribute, measure): figure.value
        for of in judgement.attributes
        for measure in MEASURES
        if (figure := of.differences.get(f"{measure}_difference")) and figure.value is not None
    }


def _shares(judgement: _Judgement) -> dict[float, float]:
    bins = sorted(judgement.reliability, key=lambda bin: bin.high)
    total = sum(bin.n for bin in bins)
    if total == 0:
        return {}
    return {bin.high: sum(b.n for b in bins if b.high <= bin.high) / total for bin in bins}
