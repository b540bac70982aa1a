from __future__ import annotations

import random

from training.learning.families import families_of


def posting(seed: int, tokens: int = 200) -> tuple[int, ...]:
    rng = random.Random(seed)
    return tuple(rng.randrange(30_000) for _ in range(tokens))


def named(count: int) -> list[list[str]]:
    return [[f"job-{i}"] for i in range(count)]


def test_postings_of_their_own_are_families_of_their_own() -> None:
    texts = [[posting(i)] for i in range(6)]
    assert len(set(families_of(texts, named(6)))) == 6
    assert families_of([], []) == []


def test_a_posting_that_was_cut_or_posted_again_is_of_one_family() -> None:
    whole = posting(1)
    texts = [
        [whole],
        [posting(2)],
        [whole[:150]],
        [whole[:80], whole[80:]],
        [(*whole, 7, 8, 9)],
        [posting(3)[:100] + whole[:100]],
    ]
    found = families_of(texts, named(6))
    assert len({found[i] for i in (0, 2, 3, 4)}) == 1
    assert len(set(found)) == 3  # half of another posting is no repetition


def test_names_join_families_also_over_others() -> None:
    texts = [[posting(i)] for i in range(5)]
    names = [["nurse"], ["engineer"], ["nurse", "ward"], ["ward"], ["cook"]]
    found = families_of(texts, names)
    assert found[0] == found[2] == found[3]
    assert len({found[0], found[1], found[4]}) == 3


def test_texts_shorter_than_a_shingle_are_one_only_if_equal() -> None:
    found = families_of([[(1, 2)], [(1, 2)], [(1,)], [()]], named(4))
    assert found[0] == found[1]
    assert len(set(found)) == 3
