"""A text among reference occupations: what work it speaks of, and how readily it resembles any work.

A bundle may hold unit vectors O (K, D) of occupations that have nothing to do with the pairs that are
scored (those of ESCO, by the bundle's own encoder). With m the mean of a text's passage vectors (of a resume
that of the share of them that come nearest to any occupation) and t the vector of a job's title:

    profile  p = max(n, 0), made a unit vector, of
             n = z(O m), of a job with a title  (1 - s) z(O m) + s z(O t);  z: mean 0, deviation 1
    level    l = mean of the k largest of  O m, of a job with a title  (1 - s) O m + s O t;
             of a resume the mean of all of O m

Two texts are compared by the cosine of their profiles, as explicit semantic analysis does (Gabrilovich and
Markovitch 2007): standardised over all occupations, what a text shares with every work does not count. A
job's level says how high everybody scores for it, a resume's how high it scores for any job; taking them off
makes scores comparable, as T-norm and Z-norm do in speaker verification (Auckenthaler, Carey and Lloyd-Thomas
2000), here against occupations in place of impostors. All of it depends on one text alone and on what is
fixed in the bundle: never on who else applies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat
from safetensors import SafetensorError

from service.core.errors import BundleError
from service.core.vectors import Floats, Vectors

OCCUPATIONS = "occupations.safetensors"


_LEAST, _MOST = 20, 20_000
_PASSAGES = 2_048
"""Passages that are compared with all occupations at once."""

_LENGTH_TOLERANCE = 2e-3
"""Vectors are stored in half precision."""


class OccupationPolicy(BaseModel):
    """How much reference occupations weigh beside late interaction, which weighs 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: FiniteFloat = Field(
        default=0.1, ge=0, le=10, description="Of the likeness of the two profiles, in [0, 1]."
    )
    level_weight: FiniteFloat = Field(
        default=0.45, ge=0, le=10, description="Of the job's level, which is taken off."
    )
    resume_level_weight: FiniteFloat = Field(
        default=0.6, ge=0, le=10, description="Of the resume's level, which is taken off."
    )
    resume_share: FiniteFloat = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Of a resume's passages, those that make its profile, rounded up: the nearest to any "
        "occupation. A line with a name and an address is none of them.",
    )
    title_share: FiniteFloat = Field(
        default=0.5, ge=0, le=1, description="s: the title's share of a job's profile and level."
    )
    nearest: int = Field(
        default=20, ge=1, le=1000, description="k: the nearest occupations, whose mean is a job's level."
    )

    def counted(self, passages: int) -> int:
        """How many of a resume's passages make its profile, at least 1."""
        return math.ceil(self.resume_share * passages)

    @property
    def whole(self) -> float:
        """What the weighted sum is divided by, so that a score stays within [-1, 1]."""
        return 1.0 + self.weight + self.level_weight + self.resume_level_weight


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A text among K occupations. `places` (K,): 0 or more, of length 1 (all 0 if near to none).

    `level`: how near it is to occupations, in [-1, 1].
    """

    places: Vectors
    level: float

    def likeness(self, other: Profile) -> float:
        """Cosine of the two, in [0, 1]."""
        # The same product as in stacks, so that a pair alone scores as among many.
        product = np.matmul(self.places[None], other.places[:, None])
        return float(product[0, 0])


@dataclass(frozen=True, eq=False)
class Occupations:
    """`vectors`: (K, D), float32 rows of length 1. Raises `BundleError` if they are anything else."""

    vectors: Vectors

    def __post_init__(self) -> None:
        x = self.vectors
        if x.ndim != 2 or x.dtype != np.float32 or not np.isfinite(x).all():
            raise BundleError("occupations must be a finite float32 array (K, D)")
        if not _LEAST <= len(x) <= _MOST:
            raise BundleError(f"{len(x):,} occupations; {_LEAST} to {_MOST:,} are allowed")
        off = float(np.abs(np.linalg.norm(x, axis=1) - 1.0).max())
        if off > _LENGTH_TOLERANCE:
            raise BundleError(f"occupations must be unit vectors: a length is off by {off:.2g}")

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def dimensions(self) -> int:
        """D, of the vectors that it fits."""
        return int(self.vectors.shape[1])

    def of_resume(self, passages: Vectors, policy: OccupationPolicy) -> Profile:
        """The profile of a resume's passages, (R, D) with R >= 1."""
        order = np.argsort(-self._nearest(passages), kind="stable")
        return self._of_rows(passages, order[: policy.counted(len(passages))], policy)

    def of_job(
        self, passages: Vectors, title: Vectors | None, shares: Floats | None, policy: OccupationPolicy
    ) -> Profile:
        """The profile of a job's passages, (J, D), and its title, (D,). `shares`: as in `passage_weights`."""
        of_title = None if title is None else self.vectors @ title
        return self._profile(self.vectors @ _mean(passages, shares), of_title, policy, of_resume=False)

    def without_each(self, passages: Vectors, policy: OccupationPolicy) -> list[Profile]:
        """`of_resume` without each of the passages, of which there are two or more, in their order."""
        order = np.argsort(-self._nearest(passages), kind="stable")
        counted = policy.counted(len(passages) - 1)
        rest = self._of_rows(passages, order[:counted], policy)
        found = [rest] * len(order)  # but for those that count: one more takes the place of each
        for place in range(counted):
            found[order[place]] = self._of_rows(passages, np.delete(order[: counted + 1], place), policy)
        return found

    def _nearest(self, passages: Vectors) -> Vectors:
        """How near each passage comes to any occupation, (R,)."""
        parts = [
            (passages[start : start + _PASSAGES] @ self.vectors.T).max(axis=1)
            for start in range(0, len(passages), _PASSAGES)
        ]
        return np.concatenate(parts)

    def _of_rows(self, passages: Vectors, rows: NDArray[np.intp], policy: OccupationPolicy) -> Profile:
        mean = _mean(passages[np.sort(rows)], None)
        return self._profile(self.vectors @ mean, None, policy, of_resume=True)

    def _profile(
        self, body: Vectors, title: Vectors | None, policy: OccupationPolicy, *, of_resume: bool
    ) -> Profile:
        nearness, standard = body.astype(np.float64), _standardised(body)
        if title is not None:
            s = policy.title_share
            nearness = (1.0 - s) * nearness + s * title.astype(np.float64)
            standard = (1.0 - s) * standard + s * _standardised(title)
        places = np.maximum(standard, 0.0)
        length = float(np.linalg.norm(places))
        # A level of all: of a resume everything counts, of a job the work that it comes nearest to.
        k = len(nearness) if of_resume else min(policy.nearest, len(nearness))
        level = float(np.partition(nearness, len(nearness) - k)[len(nearness) - k :].mean())
        return Profile((places / length if length else places).astype(np.float32), level)

    def to_bytes(self) -> bytes:
        """The content of `occupations.safetensors`, in half precision; equal vectors give equal bytes."""
        return safetensors.numpy.save({"vectors": np.ascontiguousarray(self.vectors.astype(np.float16))})


def in_half_precision(vectors: NDArray[np.floating]) -> Occupations:
    """Occupations as they will be read back from a bundle."""
    return Occupations(vectors.astype(np.float16).astype(np.float32))


def parse_occupations(data: bytes, dimensions: int) -> Occupations:
    """Read the content of `occupations.safetensors` for a model of `dimensions`.

    Raises `BundleError` if it is not safetensors, holds other tensors, or fits another model.
    """
    try:
        tensors = safetensors.numpy.load(data)
    except (SafetensorError, KeyError, ValueError) as error:
        raise BundleError(f"not a safetensors file of arrays: {error}") from None
    if sorted(tensors) != ["vectors"] or tensors["vectors"].dtype != np.float16:
        raise BundleError(f"holds {sorted(tensors)}; `vectors` in float16 are needed")
    occupations = Occupations(tensors["vectors"].astype(np.float32))
    if occupations.dimensions != dimensions:
        raise BundleError(
            f"occupations of {occupations.dimensions} dimensions; the base model has {dimensions}"
        )
    return occupations


def _mean(passages: Vectors, shares: Floats | None) -> Vectors:
    """Mean of the passages (N, D) by their shares, if not all of these are 0: (D,)."""
    if shares is None or not shares.sum() > 0:
        mean: Vectors = passages.mean(axis=0, dtype=np.float64).astype(np.float32)
        return mean
    weighted: Vectors = ((shares[:, None] * passages).sum(axis=0) / shares.sum()).astype(np.float32)
    return weighted


def _standardised(values: Vectors) -> Floats:
    """Mean 0 and deviation 1 over the occupations; 0 everywhere if all are the same."""
    wide = values.astype(np.float64)
    deviation = float(wide.std())
    centred: Floats = wide - wide.mean()
    return centred / deviation if deviation > 0 else centred
