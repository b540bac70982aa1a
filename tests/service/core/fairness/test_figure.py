from __future__ import annotations

import pytest

from service.core.fairness.figure import number_text, percent_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.000"),
        (0.5, "0.500"),
        (0.0123, "0.012"),
        (0.00999, "0.0100"),
        (0.00032, "0.00032"),
        (1.8e-7, "0.000000"),
        (12.3456, "12.346"),
    ],
)
def test_a_small_number_keeps_its_first_two_digits(value: float, text: str) -> None:
    assert number_text(value) == text


def test_few_in_many_are_not_zero_percent() -> None:
    assert percent_text(506 / 1_577_388) == "0.032"
    assert percent_text(857 / 1_460_444) == "0.059"
    assert (percent_text(0.0), percent_text(0.139), percent_text(1.0)) == ("0.0", "13.9", "100.0")
