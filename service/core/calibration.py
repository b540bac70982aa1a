"""raw_score -> calibrated_probability: the curves that a bundle may hold, and pools of another prevalence.

All curves are monotone: a higher raw_score never gives a lower probability. Each is written to
`calibration.json` as its parameters alone; the file's `method` says which kind they are.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from numbers import Real
from operator import itemgetter
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    FiniteFloat,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from service.core.errors import InputError
from service.core.scoring import SCORE_DECIMALS

Method = Literal["platt", "temperature", "isotonic"]

MAX_KNOTS = 1000

_STEP = 10.0**-SCORE_DECIMALS
_LARGEST_LOGIT = 690.0
"""exp of it, and of its negative, is a finite number above 0."""

P = TypeVar("P", float, NDArray[np.float64])


_OUT_OF_RANGE = "must be above 0 and below 1 (the share of true matches in the pool); it is {given}"


def checked_prevalence(given: object, field: str = "prevalence") -> float:
    """The share that was given, in (0, 1). Raises an `InputError` that names `field`."""
    if isinstance(given, bool) or not isinstance(given, Real):
        raise InputError(f"{field} must be a number, is a {type(given).__name__}", field=field)
    prevalence = float(given)
    if not 0 < prevalence < 1:
        raise InputError(f"{field} {_OUT_OF_RANGE.format(given=f'{prevalence:g}')}", field=field)
    return prevalence


def _in_range(prevalence: float) -> float:
    if not 0 < prevalence < 1:
        raise PydanticCustomError("prevalence", _OUT_OF_RANGE, {"given": f"{prevalence:g}"})
    return prevalence


Prevalence = Annotated[
    float,
    AfterValidator(_in_range),
    Field(json_schema_extra={"exclusiveMinimum": 0, "exclusiveMaximum": 1}),
]
"""Share of true matches in a pool of pairs, in (0, 1)."""


class _Curve(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlattCurve(_Curve):
    """Platt (1999): probability = 1 / (1 + exp(-(slope * raw_score + intercept)))."""

    slope: FiniteFloat = Field(gt=0, description="Of the log odds, per unit of raw_score.")
    intercept: FiniteFloat = Field(description="Log odds at a raw_score of 0.")

    def probability(self, raw_score: float) -> float:
        """calibrated_probability in [0, 1], rounded to `SCORE_DECIMALS`."""
        return _logistic(self.slope * raw_score + self.intercept)


class TemperatureCurve(_Curve):
    """Temperature scaling of a similarity: a logistic curve around a fixed centre.

        probability = 1 / (1 + exp(-((raw_score - centre) / temperature + prior_log_odds)))

    Guo et al. (2017) divide logits by a temperature. A similarity is no logit: 0 is not where matches
    and others are equally likely. So `centre` is the raw_score midway between the mean of matches and
    that of the others, where only the `prior_log_odds` of a match count; that is what two normal
    distributions of equal spread give. `temperature` alone is fitted.
    """

    temperature: FiniteFloat = Field(gt=0)
    centre: FiniteFloat
    prior_log_odds: FiniteFloat

    def probability(self, raw_score: float) -> float:
        """calibrated_probability in [0, 1], rounded to `SCORE_DECIMALS`."""
        return _logistic((raw_score - self.centre) / self.temperature + self.prior_log_odds)


class IsotonicCurve(_Curve):
    """Isotonic regression: `knots` of (raw_score, probability), straight lines between, flat beyond."""

    knots: tuple[tuple[FiniteFloat, Annotated[FiniteFloat, Field(ge=0, le=1)]], ...] = Field(
        min_length=2, max_length=MAX_KNOTS
    )

    @model_validator(mode="after")
    def _rising(self) -> IsotonicCurve:
        for (x, p), (next_x, next_p) in zip(self.knots, self.knots[1:], strict=False):
            if next_x <= x or next_p < p:
                raise ValueError("knots must rise: each raw_score above, each probability not below the last")
        return self

    def probability(self, raw_score: float) -> float:
        """calibrated_probability in [0, 1], rounded to `SCORE_DECIMALS`."""
        above = bisect.bisect_left(self.knots, raw_score, key=itemgetter(0))
        if above in (0, len(self.knots)):
            return round(self.knots[0 if above == 0 else -1][1], SCORE_DECIMALS)
        (x, p), (next_x, next_p) = self.knots[above - 1 : above + 1]
        return round(p + (next_p - p) * (raw_score - x) / (next_x - x), SCORE_DECIMALS)


def _kind(curve: Any) -> Method:
    if isinstance(curve, IsotonicCurve) or (isinstance(curve, dict) and "knots" in curve):
        return "isotonic"
    if isinstance(curve, TemperatureCurve) or (isinstance(curve, dict) and "temperature" in curve):
        return "temperature"
    return "platt"


CalibrationCurve = Annotated[
    Annotated[PlattCurve, Tag("platt")]
    | Annotated[TemperatureCurve, Tag("temperature")]
    | Annotated[IsotonicCurve, Tag("isotonic")],
    Discriminator(_kind),
]


class Calibration(_Curve):
    """`calibration.json`: raw_score -> calibrated_probability, and what it was fitted on.

    A job without a title has another distribution of raw scores, and so a curve of its own.
    `prevalence` is the share of true matches in the calibration pairs: probabilities hold for
    a pool with that share.
    """

    method: Method = "platt"
    with_title: CalibrationCurve
    without_title: CalibrationCurve
    pairs: int = Field(ge=2)
    prevalence: FiniteFloat = Field(gt=0, lt=1)

    @model_validator(mode="after")
    def _curves_of_the_method(self) -> Calibration:
        for name, curve in (("with_title", self.with_title), ("without_title", self.without_title)):
            if _kind(curve) != self.method:
                raise ValueError(
                    f"{name} holds the parameters of {_kind(curve)}; the method is {self.method}"
                )
        return self

    def probability(self, raw_score: float, *, titled: bool) -> float:
        """calibrated_probability of a pair whose job has a title or not, in [0, 1]."""
        return (self.with_title if titled else self.without_title).probability(raw_score)


def shift_prevalence(probability: P, *, of: float, to: float) -> P:
    """Probabilities that hold where a share `of` of the pairs matches, as they are where a share `to` does.

        logit(p') = logit(p) + logit(to) - logit(of)

    Saerens, Latinne & Decaestecker (2002): Bayes with another prior. It holds if matches score like matches,
    and others like others, in both pools, and only their numbers differ. One number or an array, in [0, 1];
    0 and 1 stay what they are, and the order stays. `of` and `to` are in (0, 1).
    """
    shift = (math.log(of) - math.log1p(-of)) - (math.log(to) - math.log1p(-to))
    factor = math.exp(max(-_LARGEST_LOGIT, min(_LARGEST_LOGIT, shift)))
    return probability / (probability + (1 - probability) * factor)


@dataclass(frozen=True, slots=True)
class PriorShift:
    """How a bundle's probabilities are reported where the share of matches is `to`, and not `of`.

    `of`: prevalence of the calibration. `decided_at`: the threshold, on the probability at `of`. Decisions
    are made there and never depend on `to`: what is reported is probability and threshold, shifted alike.
    """

    of: float
    to: float
    decided_at: float

    @property
    def threshold(self) -> float:
        """The threshold as it is reported, in (0, 1)."""
        return self.decided_at if self.of == self.to else self._threshold()

    def probability(self, probability: float) -> float:
        """The reported probability, in [0, 1], of one at `of`; both rounded to `SCORE_DECIMALS`.

        It is at or above the reported threshold exactly where the pair is selected, also where rounding alone
        would say otherwise.
        """
        if self.of == self.to:
            return probability
        shifted = round(shift_prevalence(probability, of=self.of, to=self.to), SCORE_DECIMALS)
        if probability >= self.decided_at:
            return max(shifted, self._threshold())
        return min(shifted, round(self._threshold() - _STEP, SCORE_DECIMALS))

    def _threshold(self) -> float:
        shifted = round(shift_prevalence(self.decided_at, of=self.of, to=self.to), SCORE_DECIMALS)
        return min(max(shifted, _STEP), 1 - _STEP)


def _logistic(logit: float) -> float:
    # exp of the negative absolute value never overflows.
    small = math.exp(-abs(logit))
    return round((1.0 if logit >= 0 else small) / (1.0 + small), SCORE_DECIMALS)
