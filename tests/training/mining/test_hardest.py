from __future__ import annotations

import random

from training.mining.hardest import Hardest, Scored
from training.mining.known import KnownPairs, word_shingles


def scored(score: float, id: str, text: str | None = None, row: int = 0) -> Scored:
    return Scored(-score, id, 0, row, text or id)


def test_the_first_are_kept_ties_by_id_whatever_the_order() -> None:
    rng = random.Random(0)
    offers = [scored(rng.randrange(6) / 10, f"r{i:02}", row=i) for i in range(60)]
    expected = sorted(offers, key=lambda one: (one.cost, one.id))[:7]
    for _ in range(5):
        rng.shuffle(offers)
        kept = Hardest(7)
        for one in offers:
            if -one.cost >= kept.least_score:  # as the miner passes over the others
                kept.offer(one)
        assert kept.ranked() == expected
        assert kept.ranked(skip=2) == expected[2:]
        assert kept.least_score == -expected[-1].cost


def test_a_text_is_kept_once_by_its_first_row_whatever_the_order() -> None:
    offers = [scored(0.5, "b", "same"), scored(0.5, "a", "same"), scored(0.4, "c"), scored(0.3, "d")]
    for order in (offers, offers[::-1]):
        kept = Hardest(3)
        for one in order:
            kept.offer(one)
        assert [one.id for one in kept.ranked()] == ["a", "c", "d"]


def test_there_is_no_least_score_while_there_is_room() -> None:
    kept = Hardest(2)
    kept.offer(scored(-0.9, "a"))
    assert kept.least_score == float("-inf")
    kept.offer(scored(-0.5, "b"))
    assert kept.least_score == -0.9


def test_matches_are_no_candidates_of_the_whole_family_and_labelled_others_of_their_posting() -> None:
    known = KnownPairs([0, 0, 1])  # postings 0 and 1 look for the same people
    known.add(0, "p1", "a text", "f1", match=True)
    known.add(0, "p2", "another", "f2", match=False)
    assert [known.is_candidate(posting, "p1", "new") for posting in range(3)] == [False, False, True]
    assert [known.is_candidate(posting, "new", "f1") for posting in range(3)] == [False, False, True]
    assert [known.is_candidate(posting, "p2", "new") for posting in range(3)] == [False, True, True]


def test_a_match_with_another_date_is_told_and_half_of_one_is_not() -> None:
    words = [f"word{i}" for i in range(60)]
    known = KnownPairs([0, 1])
    known.add(0, "", " ".join(words), "f", match=True)
    dated = word_shingles(" ".join([*words[:-1], "2027"]))
    assert known.repeats_match(0, dated)
    assert not known.repeats_match(1, dated)
    # 26 of 56 + 30 - 26 shingles are shared.
    assert not known.repeats_match(0, word_shingles(" ".join(words[:30] + [f"new{i}" for i in range(4)])))
