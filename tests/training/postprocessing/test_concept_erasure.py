from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from service.core.concept_eraser import ConceptEraser
from training.postprocessing.concept_erasure import (
    ConceptErasureError,
    Matrix,
    fit_leace,
    fit_projection,
    one_hot,
)

GROUPS = 3


def unit(x: Matrix) -> Matrix:
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def sample(
    n: int = 900, d: int = 24, *, seed: int = 0, groups: int = GROUPS
) -> tuple[Matrix, Matrix, NDArray[np.int64]]:
    """Unit vectors with correlated axes in which the group shows, the one-hot groups and the groups."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    mixing = rng.standard_normal((d, d)) * np.exp(-np.arange(d) / 8)
    x = rng.standard_normal((n, d)) @ mixing + 2 * np.eye(groups)[group] @ rng.standard_normal((groups, d))
    return unit(x), np.eye(groups)[group], group


def affine(eraser_of: Matrix, left: Matrix, right: Matrix) -> Matrix:
    return np.asarray(eraser_of - (eraser_of - eraser_of.mean(axis=0)) @ right.T @ left.T)


def cross_covariance(x: Matrix, z: Matrix) -> float:
    return float(np.abs((x - x.mean(axis=0)).T @ (z - z.mean(axis=0)) / len(x)).max())


def accuracy(x: Matrix, group: NDArray[np.int64]) -> float:
    """Of a linear probe with hardly any regularisation, on what it was fitted on."""
    probe = LogisticRegression(C=1e4, solver="newton-cholesky").fit(x / x.std(), group)
    return float(probe.score(x / x.std(), group))


def test_erasing_by_hand() -> None:
    # Four vectors on the axes; the group is the sign of the first coordinate: that axis goes, no other.
    x = np.array([[1.0, 0, 0], [-1.0, 0, 0], [0, 1.0, 0], [0, -1.0, 0]])
    z = np.array([[1.0], [-1.0], [0.0], [0.0]])
    for eraser in (fit_leace(x, z, shrinkage=False), fit_leace(x, z), fit_projection(x, z)):
        np.testing.assert_allclose(eraser.left @ eraser.right, np.diag([1.0, 0, 0]), atol=1e-7)
        np.testing.assert_allclose(eraser.mean, 0, atol=1e-7)


@pytest.mark.parametrize("shrinkage", [True, False])
def test_no_linear_probe_finds_the_group_after_erasure(shrinkage: bool) -> None:
    x, z, group = sample()
    eraser = fit_leace(x, z, shrinkage=shrinkage)
    assert eraser.directions == GROUPS - 1
    erased = affine(x, *both(eraser))
    majority = float(np.bincount(group).max() / len(group))
    assert accuracy(x, group) > majority + 0.3
    assert accuracy(erased, group) <= majority + 0.005
    assert cross_covariance(x, z) > 1e-2
    assert cross_covariance(erased, z) < 1e-7
    # The best linear predictor of the group, least squares, explains nothing either.
    centred = erased - erased.mean(axis=0)
    fit = centred @ np.linalg.lstsq(centred, z - z.mean(axis=0), rcond=1e-6)[0]
    assert float((fit**2).mean()) < 1e-9


def test_normalising_brings_little_of_the_group_back() -> None:
    x, z, group = sample()
    erased = fit_leace(x, z).apply(x).astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm(erased, axis=1), 1.0, atol=1e-6)
    assert cross_covariance(erased, z) < cross_covariance(x, z) / 5
    assert accuracy(erased, group) < accuracy(x, group) - 0.2


def test_leace_changes_the_vectors_least() -> None:
    x, z, _ = sample()
    leace = fit_leace(x, z, shrinkage=False)

    def change(left: Matrix, right: Matrix) -> float:
        return float(((affine(x, left, right) - x) ** 2).sum(axis=1).mean())

    least = change(*both(leace))
    assert least < change(*both(fit_projection(x, z)))
    assert least <= change(*both(fit_leace(x, z))) + 1e-9
    # Every other projection that takes out the covariance: the same columns, another way of reading them.
    span = np.linalg.qr((x - x.mean(axis=0)).T @ z)[0][:, : GROUPS - 1]
    rng = np.random.default_rng(1)
    for scale in (0.01, 0.1, 1.0):
        for _ in range(20):
            rows = span.T + scale * (rng.standard_normal(span.T.shape) @ (np.eye(len(span)) - span @ span.T))
            right = np.linalg.solve(rows @ span, rows)
            assert cross_covariance(affine(x, span, right), z) < 1e-9
            assert least < change(span, right)


def both(eraser: ConceptEraser) -> tuple[Matrix, Matrix]:
    return eraser.left.astype(np.float64), eraser.right.astype(np.float64)


@pytest.mark.parametrize("method", ["leace", "orth"])
def test_the_projection_is_that_of_the_authors_own_package(method: str) -> None:
    from concept_erasure import LeaceFitter

    x, z, _ = sample()
    theirs = LeaceFitter.fit(
        torch.tensor(x),
        torch.tensor(z),
        method=method,
        shrinkage=False,
        svd_tol=1e-9,
        constrain_cov_trace=False,
    ).eraser
    ours = fit_leace(x, z, shrinkage=False) if method == "leace" else fit_projection(x, z)
    np.testing.assert_allclose(np.eye(24) - ours.left @ ours.right, theirs.P.numpy(), atol=1e-6)
    expected = unit(theirs(torch.tensor(x)).numpy())
    np.testing.assert_allclose(ours.apply(x), expected, atol=1e-6)


def test_fewer_texts_than_dimensions_are_enough() -> None:
    x, z, _ = sample(n=20, d=64)
    for eraser in (fit_leace(x, z), fit_leace(x, z, shrinkage=False), fit_projection(x, z)):
        assert eraser.directions == GROUPS - 1
        assert cross_covariance(affine(x, *both(eraser)), z) < 1e-6


def test_shrinkage_changes_unseen_texts_less_where_texts_are_few() -> None:
    x, z, _ = sample(n=120, d=64)
    unseen, _, _ = sample(n=2000, d=64)

    def change(eraser: ConceptEraser) -> float:
        left, right = both(eraser)
        return float(((affine(unseen, left, right) - unseen) ** 2).sum(axis=1).mean())

    assert change(fit_leace(x, z)) < change(fit_leace(x, z, shrinkage=False))


def test_projection_takes_the_strongest_directions_first() -> None:
    x, z, _ = sample(groups=6)
    values = np.linalg.svd((x - x.mean(axis=0)).T @ (z - z.mean(axis=0)) / len(x), compute_uv=False)
    for count in (1, 2, 5):
        left, right = both(fit_projection(x, z, directions=count))
        after = affine(x, left, right)
        kept = np.linalg.svd((after - after.mean(axis=0)).T @ (z - z.mean(axis=0)) / len(x), compute_uv=False)
        np.testing.assert_allclose(kept[: 5 - count], values[count:5], atol=1e-7)
        np.testing.assert_allclose(right, left.T, atol=1e-7)


@given(seed=st.integers(0, 10_000), d=st.integers(4, 30), groups=st.integers(2, 4), n=st.integers(12, 80))
def test_whatever_the_sample_the_covariance_is_gone(seed: int, d: int, groups: int, n: int) -> None:
    x, z, group = sample(n, d, seed=seed, groups=groups)
    if len(set(group)) < 2 or len(set(group)) > d - 1:
        return
    eraser = fit_leace(x, z)
    assert eraser.directions == len(set(group)) - 1
    assert cross_covariance(affine(x, *both(eraser)), z) < 1e-5
    again = fit_leace(x[::-1], z[::-1])
    np.testing.assert_allclose(again.left @ again.right, eraser.left @ eraser.right, atol=1e-4)


def test_labels_become_columns_and_unknown_ones_say_nothing() -> None:
    columns = one_hot(["f", "m", None, "m"], ["b", "a", "a", "b"])
    expected = [[1, 0, 0, 1], [0, 1, 1, 0], [1 / 3, 2 / 3, 1, 0], [0, 1, 0, 1]]
    np.testing.assert_allclose(columns, np.array(expected))


X, Z, _ = sample(n=50, d=8)
NAN = np.where(np.arange(50)[:, None] == 7, np.nan, X)


@pytest.mark.parametrize("fit", [fit_leace, fit_projection])
@pytest.mark.parametrize(
    ("x", "z", "message"),
    [
        (X[:40], Z, r"vectors \(40, 8\) and concepts \(50, 3\)"),
        (X[:1], Z[:1], "N of at least 2"),
        (X, Z[:, :0], r"concepts \(50, 0\)"),
        (X, Z[:, 0], r"concepts \(50,\)"),
        (NAN, Z, "row 7 of vectors has a value that is not finite"),
        (X, NAN[:, :3], "row 7 of concepts has a value that is not finite"),
        (X, np.ones((50, 2)), "the concept is the same in all 50 rows"),
        (X[[0] * 50], Z, "no linear trace"),
        (X, X, "fills all 8 directions"),
    ],
)
def test_what_cannot_be_fitted_is_said(fit: object, x: Matrix, z: Matrix, message: str) -> None:
    with pytest.raises(ConceptErasureError, match=message):
        fit(x, z)  # type: ignore[operator]


def test_more_directions_than_the_concept_has_are_refused() -> None:
    with pytest.raises(ConceptErasureError, match="directions is 3; the concept has 1 to 2"):
        fit_projection(X, Z, directions=3)


def test_an_attribute_needs_two_groups() -> None:
    with pytest.raises(ConceptErasureError, match="attribute 1 has 1 groups"):
        one_hot(["f", "m"], ["a", None])
