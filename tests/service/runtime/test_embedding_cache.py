from __future__ import annotations

import numpy as np

from service.runtime.embedding_cache import EmbeddingCache

ENTRY = 4 * 4 + 200
"""Bytes that one vector of 4 dimensions is counted as."""


def vector(value: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.full(4, value, dtype=np.float32)


def test_the_least_recently_used_vector_goes_first() -> None:
    cache = EmbeddingCache(2 * ENTRY, 4)
    a, b, c = (cache.key((i,)) for i in range(3))
    cache.put(a, vector(1))
    cache.put(b, vector(2))
    assert cache.get(a) is not None
    cache.put(c, vector(3))
    assert cache.get(b) is None
    assert [cache.get(key) is not None for key in (a, c)] == [True, True]
    assert len(cache) == 2


def test_a_cache_of_no_bytes_keeps_nothing() -> None:
    cache = EmbeddingCache(0, 4)
    cache.put(cache.key((1,)), vector(1))
    assert len(cache) == 0


def test_a_kept_vector_does_not_change_with_its_batch() -> None:
    cache = EmbeddingCache(10 * ENTRY, 4)
    batch = np.ones((2, 4), dtype=np.float32)
    cache.put(cache.key((1,)), batch[0])
    batch[:] = 0
    kept = cache.get(cache.key((1,)))
    assert kept is not None
    assert kept.tolist() == [1, 1, 1, 1]


def test_keys_differ_between_texts_and_between_processes() -> None:
    one, other = EmbeddingCache(ENTRY, 4), EmbeddingCache(ENTRY, 4)
    assert one.key((1, 2)) == one.key((1, 2))
    assert one.key((1, 2)) != one.key((2, 1))
    assert one.key((1, 2)) != other.key((1, 2))


def test_a_vector_that_is_not_recent_displaces_none_that_is() -> None:
    cache = EmbeddingCache(2 * ENTRY, 4)
    a, b, shadow = (cache.key((i,)) for i in range(3))
    cache.put(a, vector(1))
    cache.put(shadow, vector(3), recent=False)
    assert cache.get(shadow, recent=False) is not None
    cache.put(a, vector(1), recent=False)  # known as recent: it stays so
    cache.put(b, vector(2))
    assert cache.get(a) is not None
    cache.put(cache.key((9,)), vector(9), recent=False)
    assert [cache.get(key) is not None for key in (a, b)] == [True, True]
