"""The two kinds of numbers that scoring computes with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""Unit vectors of texts, (N, D), or one of them, (D,)."""

Floats = NDArray[np.float64]
"""Scores, weights and shares."""
