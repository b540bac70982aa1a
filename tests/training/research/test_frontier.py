from __future__ import annotations

import re

from training.evaluation.schema import Estimate
from training.research.frontier import frontier_svg


def figure(value: float | None, reach: float = 0.0) -> Estimate:
    if value is None:
        return Estimate(value=None, n=0, reason="nobody was selected")
    return Estimate(value=value, low=value - reach, high=value + reach, n=10)


def test_a_better_arm_stands_further_right_and_lower() -> None:
    svg = frontier_svg(
        [
            ("base", figure(0.5), figure(0.2)),
            ("better", figure(0.7), figure(0.1)),
            ("none", figure(None), figure(0.1)),
        ],
        title="t",
        x_label="x",
        y_label="y <",
    )
    centres = [(float(x), float(y)) for x, y in re.findall(r'<circle cx="([0-9.]+)" cy="([0-9.]+)"', svg)]
    assert len(centres) == 2
    (base_x, base_y), (better_x, better_y) = centres
    assert better_x > base_x
    assert better_y > base_y  # SVG counts downwards
    assert "1 base" in svg
    assert "none" not in svg
    assert "y &lt;" in svg
