from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from numpy.typing import NDArray

from service.core.bundle import Bundle, read_bundle, write_bundle
from service.core.concept_eraser import ERASER, ConceptEraser, parse_concept_eraser
from service.core.errors import BundleError
from service.core.files import sha256_file
from tests.service.core.test_bundle import edit, relist
from tests.support.bundles import CALIBRATION, RULE, write_test_bundle
from tests.support.erasers import random_eraser

Arrays = dict[str, NDArray[np.generic]]


def test_erasing_by_hand() -> None:
    # Takes out the first axis along the diagonal of the first two; mean (0.5, 0, 0).
    eraser = ConceptEraser(
        mean=np.array([0.5, 0, 0], dtype=np.float32),
        left=np.array([[1], [1], [0]], dtype=np.float32),
        right=np.array([[1, 0, 0]], dtype=np.float32),
    )
    assert (eraser.dimensions, eraser.directions) == (3, 1)
    # (1, 0, 0) - (1 - 0.5) * (1, 1, 0) = (0.5, -0.5, 0); (0, 0, 1) + 0.5 * (1, 1, 0) = (0.5, 0.5, 1)
    erased = eraser.apply(np.array([[1.0, 0, 0], [0, 0, 1.0]]))
    expected = [[0.5**0.5, -(0.5**0.5), 0], [1 / 6**0.5, 1 / 6**0.5, 2 / 6**0.5]]
    np.testing.assert_allclose(erased, expected, atol=1e-7)


def test_an_eraser_reads_back_as_written_byte_for_byte() -> None:
    eraser = random_eraser(16, directions=3)
    data = eraser.to_bytes()
    again = parse_concept_eraser(data, 16)
    for name in ("mean", "left", "right"):
        assert np.array_equal(getattr(again, name), getattr(eraser, name))
    assert again.to_bytes() == data


def arrays(eraser: ConceptEraser, **changes: NDArray[np.generic]) -> bytes:
    whole: Arrays = {"mean": eraser.mean, "left": eraser.left, "right": eraser.right}
    return safetensors.numpy.save({**whole, **changes})


GOOD = random_eraser(16, directions=3)
NAN = np.full(16, np.nan, dtype=np.float32)
IDENTITY = np.eye(16, dtype=np.float32)
UNREADABLE = {
    "empty": (b"", "not a safetensors file"),
    "pickle": (b"\x80\x04K\x01.", "not a safetensors file"),
    "cut short": (GOOD.to_bytes()[:-8], "not a safetensors file"),
    "a tensor more": (arrays(GOOD, more=GOOD.mean), r"holds \['left', 'mean', 'more', 'right'\]"),
    "a tensor less": (safetensors.numpy.save({"mean": GOOD.mean}), r"holds \['mean'\]"),
    "float64": (arrays(GOOD, mean=GOOD.mean.astype(np.float64)), "`mean` is float64, not float32"),
    "not a number": (arrays(GOOD, mean=NAN), "`mean` has values that are not finite"),
    "transposed": (arrays(GOOD, left=GOOD.left.T.copy()), r"'left': \(3, 16\)"),
    "one axis": (arrays(GOOD, left=GOOD.mean), r"mean \(D,\), left \(D, R\), right \(R, D\) are needed"),
    "everything erased": (arrays(GOOD, left=IDENTITY, right=IDENTITY), "1 <= R < D are needed"),
    "nothing erased": (arrays(GOOD, left=GOOD.left[:, :0], right=GOOD.right[:0]), "1 <= R < D are needed"),
    "no projection": (arrays(GOOD, left=2 * GOOD.left), "right left is off the identity by 1"),
    "another model": (random_eraser(8).to_bytes(), "erases from 8 dimensions; the base model has 16"),
}


@pytest.mark.parametrize(("data", "message"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_eraser_of_this_model_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        parse_concept_eraser(data, 16)


@pytest.fixture
def erasing(bge_like: Path, tmp_path: Path) -> Bundle:
    return write_test_bundle(tmp_path / "erasing", str(bge_like), eraser=random_eraser(32))


def test_a_bundle_keeps_its_eraser_and_lists_its_hash(erasing: Bundle) -> None:
    again = read_bundle(erasing.path)
    assert again.eraser is not None
    assert again.eraser.to_bytes() == random_eraser(32).to_bytes()
    assert again.manifest.files[ERASER] == sha256_file(erasing.path / ERASER)
    assert again == erasing
    assert again.makeup.endswith("bge-like + eraser of 2 directions")


def test_a_bundle_without_an_eraser_says_so(tiny_bundle: Bundle) -> None:
    assert tiny_bundle.eraser is None
    assert not tiny_bundle.manifest.has_eraser
    assert tiny_bundle.makeup.endswith("bge-like")


def test_a_changed_eraser_is_named(erasing: Bundle) -> None:
    data = bytearray((erasing.path / ERASER).read_bytes())
    data[-1] ^= 1
    (erasing.path / ERASER).write_bytes(data)
    with pytest.raises(BundleError, match=r"eraser\.safetensors was changed: SHA-256"):
        read_bundle(erasing.path)


def test_an_eraser_of_another_model_is_named_even_if_listed(erasing: Bundle) -> None:
    (erasing.path / ERASER).write_bytes(random_eraser(8).to_bytes())
    relist(erasing.path, ERASER)
    with pytest.raises(BundleError, match=r"eraser\.safetensors: erases from 8 dimensions.* has 32"):
        read_bundle(erasing.path)


def test_an_eraser_cannot_be_left_out_silently(erasing: Bundle) -> None:
    (erasing.path / ERASER).unlink()
    with pytest.raises(BundleError, match=r"eraser\.safetensors is missing"):
        read_bundle(erasing.path)
    files = {name: sha for name, sha in erasing.manifest.files.items() if name != ERASER}
    edit(erasing.path / "manifest.json", files=files)
    assert read_bundle(erasing.path).digest != erasing.digest


def test_a_bundle_with_an_unfitting_eraser_is_not_written(tiny_bundle: Bundle, tmp_path: Path) -> None:
    parts = {
        "calibration.json": CALIBRATION,
        "decision.json": RULE,
        "probes.json": tiny_bundle.reference_vectors,
    }
    with pytest.raises(BundleError, match=r"eraser\.safetensors: erases from 8 dimensions"):
        write_bundle(tmp_path / "new", tiny_bundle.manifest, parts, eraser=random_eraser(8))
    assert list(tmp_path.iterdir()) == []
