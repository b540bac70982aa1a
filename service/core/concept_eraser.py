"""A linear concept eraser: the part of a vector that tells a group is taken out of it.

The map is affine, x -> x - left right (x - mean), where `left right` has a low rank. Fitted by LEACE
(Belrose et al. 2023, arXiv 2306.03819) it is the smallest change in the sense of least squares after
which no linear function of x predicts the concept. Reading needs neither torch nor a model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from service.core.errors import BundleError

ERASER = "eraser.safetensors"

_TENSORS = ("mean", "left", "right")
_PROJECTION_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class ConceptEraser:
    """`mean` (D,), `left` (D, R), `right` (R, D), all float32; 1 <= R < D and right left = identity.

    The last condition makes it a projection: what was erased once is not changed by erasing again.
    Raises `BundleError` if the arrays are anything else.
    """

    mean: NDArray[np.float32]
    left: NDArray[np.float32]
    right: NDArray[np.float32]

    def __post_init__(self) -> None:
        for name in _TENSORS:
            array = getattr(self, name)
            if array.dtype != np.float32:
                raise BundleError(f"`{name}` is {array.dtype}, not float32")
            if not np.isfinite(array).all():
                raise BundleError(f"`{name}` has values that are not finite")
        shapes = {name: getattr(self, name).shape for name in _TENSORS}
        if self.mean.ndim != 1 or self.left.ndim != 2:
            raise BundleError(f"shapes {shapes}; mean (D,), left (D, R), right (R, D) are needed")
        d, r = self.left.shape
        if self.mean.shape != (d,) or self.right.shape != (r, d) or not 1 <= r < d:
            raise BundleError(f"shapes {shapes}; mean (D,), left (D, R), right (R, D), 1 <= R < D are needed")
        off = float(np.abs(self.right.astype(np.float64) @ self.left - np.eye(r)).max())
        if off > _PROJECTION_TOLERANCE:
            raise BundleError(f"not a projection: right left is off the identity by {off:.3g}")

    @property
    def dimensions(self) -> int:
        """D, of the vectors that it fits."""
        return int(self.mean.shape[0])

    @property
    def directions(self) -> int:
        """R, how many directions it takes out."""
        return int(self.left.shape[1])

    def apply(self, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        """Unit vectors (N, D) -> erased vectors of length 1, (N, D); computed in float64."""
        x = np.asarray(vectors, dtype=np.float64)
        erased = x - (x - self.mean) @ self.right.T.astype(np.float64) @ self.left.T
        unit: NDArray[np.float32] = (erased / np.linalg.norm(erased, axis=1, keepdims=True)).astype(
            np.float32
        )
        return unit

    def to_bytes(self) -> bytes:
        """The content of `eraser.safetensors`; equal erasers give equal bytes."""
        return safetensors.numpy.save({name: np.ascontiguousarray(getattr(self, name)) for name in _TENSORS})


def parse_concept_eraser(data: bytes, dimensions: int) -> ConceptEraser:
    """Read the content of `eraser.safetensors` for a model of `dimensions`.

    Raises `BundleError` if it is not safetensors, holds other tensors, or fits another model.
    """
    try:
        tensors = safetensors.numpy.load(data)
    except (SafetensorError, KeyError, ValueError) as error:
        raise BundleError(f"not a safetensors file of float32 arrays: {error}") from None
    if sorted(tensors) != sorted(_TENSORS):
        raise BundleError(f"holds {sorted(tensors)}; {', '.join(_TENSORS)} are needed")
    eraser = ConceptEraser(**tensors)
    if eraser.dimensions != dimensions:
        raise BundleError(f"erases from {eraser.dimensions} dimensions; the base model has {dimensions}")
    return eraser
