"""Concept erasure: a linear eraser of name groups, fitted in closed form, stored in the bundle and served.

Two methods. LEACE (Belrose et al. 2023, arXiv 2306.03819, theorem 4.3) removes every linear trace of the
concept and changes the vectors least. Plain projection removes the directions of strongest covariance
with the concept (spectral attribute removal, Shao et al. 2023, arXiv 2203.07893): it can stop early,
and disturbs more for the same effect. It is kept for ablations.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from sklearn.covariance import ledoit_wolf

from service.core.concept_eraser import ConceptEraser
from service.core.counterfactual.lexicons import load_groups
from service.core.engines.engine import Engine
from service.core.errors import EvenmatchError
from service.core.tokenization import TokenIds
from training.data.example import Example
from training.learning.tokenized import PairTokenizer, ResumeTokens

Matrix = NDArray[np.float64]

_RANK_TOLERANCE = 1e-7
"""Singular values below this share of the largest are rounding: the vectors come in float32."""


_SETS_EACH = 3
"""How often a resume is read under a name of every group: first where its own stood, then inside the text."""


class ConceptErasureConfig(BaseModel):
    """`resumes`: of the training split, that are read under names of each group to fit the eraser on."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    method: Literal["none", "leace", "projection"] = Field(
        "leace", description="`leace`, `projection` on the groups' mean differences, or `none`."
    )
    resumes: int = Field(
        200,
        ge=10,
        description="Of the training split, that are read under names of each group to fit the eraser on.",
    )


class ConceptErasureError(EvenmatchError):
    """No eraser can be fitted: the vectors or the labels do not allow it."""

    code = "erasure_failed"
    title = "Concept erasure failed"


def fit_concept_eraser(
    config: ConceptErasureConfig,
    examples: Sequence[Example],
    tokenizer: PairTokenizer,
    engine: Engine,
    *,
    seed: int,
) -> ConceptEraser:
    """Fit an eraser on what names leave in the vectors of `engine`; `config.method` must not be none.

    The concept is the race x sex group whose name stands in a passage; only passages that hold a name count.
    Raises `ConceptErasureError` as `fit_leace` does, and an `InputError` for an unusable text.
    """
    rng = random.Random(f"erasure:{seed}")
    resumes: dict[tuple[str, str], Example] = {}
    for example in examples:
        resumes.setdefault((example.resume_id, example.resume), example)
    chosen = rng.sample(list(resumes.values()), min(config.resumes, len(resumes)))
    texts: list[TokenIds] = []
    groups: list[str] = []
    for resume in tokenizer.tokenize(chosen).resumes:
        for ids, group in _named_passages(resume, tokenizer, rng):
            texts.append(ids)
            groups.append(group)
    vectors: NDArray[np.float32] = engine.embed(texts)
    fit = fit_leace if config.method == "leace" else fit_projection
    return fit(vectors, one_hot(groups))


def _named_passages(
    resume: ResumeTokens, tokenizer: PairTokenizer, rng: random.Random
) -> list[tuple[TokenIds, str]]:
    lexicon = load_groups("train")
    found = []
    for i in range(_SETS_EACH):
        variants = tokenizer.variants(resume, lexicon, rng, spliced=i > 0)
        shared = set.intersection(*(set(passages) for _, passages in variants))
        found += [(ids, group) for group, passages in variants for ids in passages if ids not in shared]
    return found


def one_hot(*attributes: Sequence[str | None]) -> Matrix:
    """Group labels of N texts -> concept matrix (N, K), one column a group of each attribute.

    None means that the group is not known: such a text gets each group's share among the known, which
    says nothing about it. Raises `ConceptErasureError` if an attribute has fewer than two groups.
    """
    columns = []
    for number, labels in enumerate(attributes):
        groups = sorted({label for label in labels if label is not None})
        if len(groups) < 2:
            raise ConceptErasureError(f"attribute {number} has {len(groups)} groups; at least 2 are needed")
        column = np.array([[float(label == group) for group in groups] for label in labels])
        known = np.array([label is not None for label in labels])
        column[~known] = column[known].mean(axis=0)
        columns.append(column)
    return np.concatenate(columns, axis=1)


def fit_leace(
    vectors: NDArray[np.floating], concepts: NDArray[np.floating], *, shrinkage: bool = True
) -> ConceptEraser:
    """The least-squares-optimal eraser of `concepts` (N, K) from unit `vectors` (N, D).

    With W the inverse square root of the covariance of x, and U an orthonormal basis of the columns of
    W cov(x, z): x -> x - W^+ U U' W (x - mean x). The cross-covariance with the concept is then zero,
    so no linear classifier beats a constant on these vectors. R, the rank of cov(x, z), is K - 1 for
    one attribute of K groups. Normalising the result brings a little of the concept back, in the length
    that was lost; to take that out as well cost seven times the change, in trials on real resumes.

    `shrinkage` estimates the covariance by Ledoit and Wolf's (2004) formula: of use where N is not
    many times D. It bears on how small the change is on unseen texts, not on what is erased.

    Raises `ConceptErasureError` if the shapes do not fit, a value is not finite, the concept does not vary or
    leaves no trace in the vectors, or its rank is not below that of the vectors.
    """
    x, z = _centred(vectors, concepts)
    covariance = ledoit_wolf(x, assume_centered=True)[0] if shrinkage else x.T @ x / len(x)
    values, axes = np.linalg.eigh(covariance)  # (D,), (D, D)
    # Eigenvalues are squares of singular values, and so is the tolerance.
    kept = values > values[-1] * _RANK_TOLERANCE**2
    root = np.sqrt(values[kept])
    axes = axes[:, kept]
    whitened = (axes / root).T @ (x.T @ z / len(x))  # (rank of x, K)
    basis = _column_space(whitened)
    return _eraser(vectors, left=(axes * root) @ basis, right=basis.T @ (axes / root).T)


def fit_projection(
    vectors: NDArray[np.floating], concepts: NDArray[np.floating], *, directions: int | None = None
) -> ConceptEraser:
    """The orthogonal projection that takes out the `directions` of strongest covariance with `concepts`.

    x -> x - V V' (x - mean x) with V the first left singular vectors of cov(x, z) (D, K); all of those
    with a singular value above rounding if `directions` is None. Raises `ConceptErasureError` as `fit_leace`
    does, and if cov(x, z) has fewer than `directions` directions.
    """
    x, z = _centred(vectors, concepts)
    basis = _column_space(x.T @ z / len(x))
    if directions is not None:
        if not 1 <= directions <= basis.shape[1]:
            raise ConceptErasureError(
                f"directions is {directions}; the concept has 1 to {basis.shape[1]} in these vectors"
            )
        basis = basis[:, :directions]
    return _eraser(vectors, left=basis, right=basis.T)


def _centred(vectors: NDArray[np.floating], concepts: NDArray[np.floating]) -> tuple[Matrix, Matrix]:
    x, z = np.asarray(vectors, dtype=np.float64), np.asarray(concepts, dtype=np.float64)
    if x.ndim != 2 or z.ndim != 2 or len(x) != len(z) or len(x) < 2 or z.shape[1] < 1:
        raise ConceptErasureError(
            f"vectors {x.shape} and concepts {z.shape}: (N, D) and (N, K) with N of at least 2 are needed"
        )
    for name, array in (("vectors", x), ("concepts", z)):
        bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
        if bad.size:
            raise ConceptErasureError(f"row {bad[0]} of {name} has a value that is not finite")
    x, z = x - x.mean(axis=0), z - z.mean(axis=0)
    if np.abs(z).max() < _RANK_TOLERANCE:
        raise ConceptErasureError(f"the concept is the same in all {len(z)} rows: nothing to erase")
    return x, z


def _column_space(matrix: Matrix) -> Matrix:
    """An orthonormal basis of the columns of `matrix` (D, K), strongest first: (D, R)."""
    left, values, _ = np.linalg.svd(matrix, full_matrices=False)
    rank = int((values > max(values[0] * _RANK_TOLERANCE, np.finfo(np.float64).eps)).sum())
    if rank == 0:
        raise ConceptErasureError("the vectors hold no linear trace of the concept: nothing to erase")
    if rank >= matrix.shape[0]:
        raise ConceptErasureError(
            f"the concept fills all {rank} directions of the vectors: nothing would be left"
        )
    basis: Matrix = left[:, :rank]
    return basis


def _eraser(vectors: NDArray[np.floating], *, left: Matrix, right: Matrix) -> ConceptEraser:
    mean = np.asarray(vectors, dtype=np.float64).mean(axis=0)
    return ConceptEraser(mean.astype(np.float32), left.astype(np.float32), right.astype(np.float32))
