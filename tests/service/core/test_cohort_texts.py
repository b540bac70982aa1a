"""Which texts make a cohort."""

from __future__ import annotations

import numpy as np

from service.core.cohort_texts import drawn, without_near_duplicates


def test_the_seed_decides_who_is_drawn_and_in_which_order() -> None:
    assert drawn(50, 7, 3) == drawn(50, 7, 3)
    assert drawn(50, 7, 3) != drawn(50, 7, 4)
    assert sorted(drawn(50, 99, 3)) == list(range(50))
    assert drawn(50, 99, 3) != list(range(50))


def test_near_duplicates_count_once() -> None:
    chance = np.random.default_rng(0)

    def text(count: int) -> np.ndarray:
        made = chance.standard_normal((count, 64)).astype(np.float32)
        return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True))

    long, short = text(20), text(2)
    again = long.copy()
    again[3] = text(1)[0]  # another date in one of its passages
    half = np.concatenate([long[:10], text(10)])
    assert without_near_duplicates([long, short, again, half, short[::-1].copy()]) == [0, 1, 3]
    assert without_near_duplicates([]) == []
