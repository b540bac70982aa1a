from __future__ import annotations

import numpy as np
import pytest

from training.data import nearly_same as module
from training.data.nearly_same import SHINGLE, nearly_same


@pytest.mark.parametrize("rows", [1, 3, 512])
def test_similarity_is_jaccards_however_the_rows_are_cut(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS", rows)
    rng = np.random.default_rng(5)
    texts = [[int(t) for t in rng.integers(0, 4, size=12)] for _ in range(12)]
    shingles = [{tuple(of[i : i + SHINGLE]) for i in range(len(of) - SHINGLE + 1)} for of in texts]
    expected = {
        (i, j)
        for i, one in enumerate(shingles)
        for j, other in enumerate(shingles)
        if i < j and len(one & other) / len(one | other) >= 0.2
    }
    assert expected
    assert set(nearly_same(texts, 0.2)) == expected
