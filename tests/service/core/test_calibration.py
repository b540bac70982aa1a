from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.special import expit

from service.core.calibration import Calibration, IsotonicCurve, PlattCurve, TemperatureCurve

PLATT = PlattCurve(slope=20.0, intercept=-7.0)
TEMPERATURE = TemperatureCurve(temperature=0.05, centre=0.35, prior_log_odds=-1.0)
ISOTONIC = IsotonicCurve(knots=((0.1, 0.02), (0.3, 0.02), (0.5, 0.9)))


@given(st.floats(-50, 50), st.floats(0.1, 80), st.floats(-60, 60))
def test_platt_is_the_logistic_curve(raw: float, slope: float, intercept: float) -> None:
    probability = PlattCurve(slope=slope, intercept=intercept).probability(raw)
    assert probability == pytest.approx(expit(slope * raw + intercept), abs=5e-7)
    assert 0 <= probability <= 1


@given(st.floats(-1, 1), st.floats(0.005, 2), st.floats(-1, 1), st.floats(-5, 5))
def test_temperature_is_the_logistic_curve_around_its_centre(
    raw: float, temperature: float, centre: float, prior: float
) -> None:
    curve = TemperatureCurve(temperature=temperature, centre=centre, prior_log_odds=prior)
    assert curve.probability(raw) == pytest.approx(expit((raw - centre) / temperature + prior), abs=5e-7)


def test_hand_computed_isotonic_interpolation() -> None:
    # Half way from (0.3, 0.02) to (0.5, 0.9) is 0.46; beyond the ends the curve is flat.
    assert ISOTONIC.probability(0.4) == 0.46
    assert ISOTONIC.probability(0.2) == 0.02
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
