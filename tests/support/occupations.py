"""Reference occupations for tests, of random vectors."""

from __future__ import annotations

import numpy as np

from service.core.occupations import Occupations, in_half_precision


def random_occupations(dimensions: int, count: int = 40) -> Occupations:
    made = np.random.default_rng(11).standard_normal((count, dimensions))
    return in_half_precision(made / np.linalg.norm(made, axis=1, keepdims=True))
