"""Erasers for tests."""

from __future__ import annotations

import numpy as np

from service.core.concept_eraser import ConceptEraser


def random_eraser(dimensions: int, *, directions: int = 2, seed: int = 0) -> ConceptEraser:
    """An oblique projection, as LEACE gives, along random directions."""
    rng = np.random.default_rng(seed)
    left = rng.standard_normal((dimensions, directions))
    inverse = np.linalg.pinv(left)  # (R, D)
    other = rng.standard_normal(inverse.shape)
    right = inverse + 0.1 * (other - other @ left @ inverse)
    return ConceptEraser(
        mean=(0.1 * rng.standard_normal(dimensions)).astype(np.float32),
        left=left.astype(np.float32),
        right=right.astype(np.float32),
    )
