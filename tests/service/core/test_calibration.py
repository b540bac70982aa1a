from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError
from scipy.special import expit, logit

from service.core.calibration import (
    Calibration,
    IsotonicCurve,
    PlattCurve,
    Prevalence,
    PriorShift,
    TemperatureCurve,
    checked_prevalence,
    shift_prevalence,
)
from service.core.errors import InputError

PLATT = PlattCurve(slope=20.0, intercept=-7.0)
TEMPERATURE = TemperatureCurve(temperature=0.05, centre=0.35, prior_log_odds=-1.0)
ISOTONIC = IsotonicCurve(knots=((0.1, 0.02), (0.3, 0.04), (0.4, 0.04), (0.5, 0.9)))


@given(st.floats(-50, 50), st.floats(0.1, 80), st.floats(-60, 60))
def test_platt_is_the_logistic_curve(raw: float, slope: float, intercept: float) -> None:
    probability = PlattCurve(slope=slope, intercept=intercept).probability(raw)
    assert probability == pytest.approx(expit(slope * raw + intercept), abs=5e-7 + 1e-12)
    assert 0 <= probability <= 1


@given(st.floats(-1, 1), st.floats(0.005, 2), st.floats(-1, 1), st.floats(-5, 5))
def test_temperature_is_the_logistic_curve_around_its_centre(
    raw: float, temperature: float, centre: float, prior: float
) -> None:
    curve = TemperatureCurve(temperature=temperature, centre=centre, prior_log_odds=prior)
    # Rounded to six decimals: half a unit away at most, and what a sum of floats is off by.
    assert curve.probability(raw) == pytest.approx(
        expit((raw - centre) / temperature + prior), abs=5e-7 + 1e-12
    )


def test_hand_computed_isotonic_interpolation() -> None:
    # Half way from (0.4, 0.04) to (0.5, 0.9) is 0.47; beyond the ends the curve is flat.
    assert ISOTONIC.probability(0.45) == 0.47
    assert ISOTONIC.probability(0.2) == 0.03
    assert ISOTONIC.probability(0.35) == 0.04
    assert (ISOTONIC.probability(-1.0), ISOTONIC.probability(1.0)) == (0.02, 0.9)
    for raw, probability in ISOTONIC.knots:
        assert ISOTONIC.probability(raw) == probability


@given(st.floats(-1, 1))
def test_isotonic_agrees_with_numpy(raw: float) -> None:
    x, p = zip(*ISOTONIC.knots, strict=True)
    assert ISOTONIC.probability(raw) == pytest.approx(np.interp(raw, x, p), abs=5e-7)


@pytest.mark.parametrize("curve", [PLATT, TEMPERATURE, ISOTONIC])
@given(st.floats(-1, 1), st.floats(-1, 1))
def test_a_higher_score_never_gives_a_lower_probability(
    curve: PlattCurve | TemperatureCurve | IsotonicCurve, a: float, b: float
) -> None:
    assert curve.probability(min(a, b)) <= curve.probability(max(a, b))


@pytest.mark.parametrize(
    ("method", "curve"), [("platt", PLATT), ("temperature", TEMPERATURE), ("isotonic", ISOTONIC)]
)
def test_every_method_survives_its_file(
    method: str, curve: PlattCurve | TemperatureCurve | IsotonicCurve
) -> None:
    written = json.dumps(
        {
            "method": method,
            "with_title": curve.model_dump(),
            "without_title": curve.model_dump(),
            "pairs": 10,
            "prevalence": 0.25,
        }
    )
    again = Calibration.model_validate_json(written)
    assert (again.with_title, again.without_title) == (curve, curve)
    assert Calibration.model_validate_json(again.model_dump_json()) == again
    assert again.probability(0.4, titled=True) == curve.probability(0.4)


def test_jobs_with_and_without_a_title_have_their_own_curves() -> None:
    other = PlattCurve(slope=30.0, intercept=-7.0)
    calibration = Calibration(with_title=PLATT, without_title=other, pairs=10, prevalence=0.5)
    assert calibration.probability(0.3, titled=True) == PLATT.probability(0.3)
    assert calibration.probability(0.3, titled=False) == other.probability(0.3)


@pytest.mark.parametrize(
    ("curve", "message"),
    [
        ({"temperature": 0.05, "centre": 0.3, "prior_log_odds": 0.0}, "the method is platt"),
        ({"temperature": 0.0, "centre": 0.3, "prior_log_odds": 0.0}, "with_title.temperature.temperature"),
        ({"slope": -1.0, "intercept": 0.0}, "with_title.platt.slope"),
        ({"knots": [[0.1, 0.5], [0.2, 0.4]]}, "knots must rise"),
        ({"knots": [[0.2, 0.1], [0.2, 0.4]]}, "knots must rise"),
        ({"knots": [[0.2, 0.1], [0.3, 1.4]]}, "less than or equal to 1"),
        ({"knots": [[0.2, 0.1]]}, "at least 2"),
    ],
)
def test_a_curve_that_makes_no_sense_is_refused(curve: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Calibration.model_validate(
            {
                "method": "platt",
                "with_title": curve,
                "without_title": PLATT.model_dump(),
                "pairs": 9,
                "prevalence": 0.5,
            }
        )


@given(
    st.lists(st.floats(0, 1).map(lambda p: round(p, 6)), min_size=1, max_size=20),
    st.floats(0, 1, exclude_min=True, exclude_max=True),
    st.floats(0.001, 0.999),
    st.floats(0, 1, exclude_min=True, exclude_max=True),
)
def test_a_prior_shift_changes_no_decision_and_no_order(
    probabilities: list[float], decided_at: float, of: float, to: float
) -> None:
    shift = PriorShift(of, to, decided_at)
    assert 0 < shift.threshold < 1
    reported = [shift.probability(p) for p in sorted(probabilities)]
    assert all(0 <= p <= 1 for p in reported)
    assert [p >= shift.threshold for p in reported] == [p >= decided_at for p in sorted(probabilities)]
    assert reported == sorted(reported)


@pytest.mark.parametrize("to", [1e-9, 0.003, 0.97])
@pytest.mark.parametrize("nearest", [0.137088, 0.13709, 0.137091])
def test_neighbours_of_the_threshold_stay_on_their_side_of_it(to: float, nearest: float) -> None:
    shift = PriorShift(0.25, to, 0.137089)
    assert (shift.probability(nearest) >= shift.threshold) == (nearest >= 0.137089)
    assert shift.probability(nearest) == pytest.approx(shift_prevalence(nearest, of=0.25, to=to), abs=2.6e-6)


@given(st.floats(0.001, 0.999), st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_a_prior_shift_adds_the_difference_of_the_log_odds(p: float, of: float, to: float) -> None:
    assert shift_prevalence(p, of=of, to=to) == pytest.approx(expit(logit(p) + logit(to) - logit(of)))


def test_hand_computed_prior_shift() -> None:
    # Even odds where 1 in 4 matches are three times the prior odds 1/3; where 1 in 10 matches: 3 * 1/9 = 1/3.
    assert shift_prevalence(0.5, of=0.25, to=0.1) == pytest.approx(0.25)
    np.testing.assert_allclose(
        shift_prevalence(np.array([0.0, 0.5, 1.0]), of=0.25, to=0.1), [0.0, 0.25, 1.0], rtol=1e-12
    )


def test_a_prior_shift_makes_the_optimal_probabilities_of_the_other_pool() -> None:
    # Two normal distributions: Bayes is known in closed form, whatever the share of matches.
    x = np.linspace(-2, 3, 101)

    def bayes(prior: float) -> NDArray[np.float64]:
        return np.asarray(expit(x - 0.5 + logit(prior)))

    np.testing.assert_allclose(shift_prevalence(bayes(0.25), of=0.25, to=0.02), bayes(0.02), rtol=1e-10)


def test_without_another_prevalence_everything_is_reported_as_it_is() -> None:
    shift = PriorShift(0.25, 0.25, 0.1234567)
    assert (shift.threshold, shift.probability(0.123456)) == (0.1234567, 0.123456)


@pytest.mark.parametrize(
    ("given_value", "said"),
    [
        (0, "it is 0"),
        (1, "it is 1"),
        (1.5, "it is 1.5"),
        (np.float32(2), "it is 2"),
        ("0.1", "is a str"),
        (True, "is a bool"),
    ],
)
def test_a_prevalence_from_code_is_checked_too(given_value: object, said: str) -> None:
    with pytest.raises(InputError, match=f"^pool must be .*{said}$") as refused:
        checked_prevalence(given_value, "pool")
    assert refused.value.field == "pool"
    with pytest.raises(InputError, match=f"^prevalence must be .*{said}$") as refused:
        checked_prevalence(given_value)
    assert refused.value.field == "prevalence"
    assert checked_prevalence(np.float32(0.5)) == 0.5


class _Asked(BaseModel):
    prevalence: Prevalence


@pytest.mark.parametrize("given_value", [0, 1, -0.1, 1.5, float("nan"), float("inf")])
def test_a_prevalence_outside_0_and_1_is_refused_with_the_limits_and_the_value(given_value: float) -> None:
    with pytest.raises(ValidationError, match=rf"above 0 and below 1 .* it is {given_value:g}"):
        _Asked(prevalence=given_value)
