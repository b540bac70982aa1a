from __future__ import annotations

import numpy as np

from service.cli.ranking import Ranking
from service.core.matching import Match
from service.files.result_files import ScoredCandidate
from service.files.score_journal import in_millionths


def decide(raw_score: float, posting: int) -> Match:
    """Two decimals of probability, so that scores which lie near have the same."""
    return Match(raw_score, round(max(raw_score, 0.0), 2), selected=False, borderline=False)


def ranked(*scores: float, top: int | None = None) -> list[str]:
    ranking = Ranking(decide, postings=1, top=top)
    for number, score in enumerate(scores):
        ranking.add(ScoredCandidate(str(number), "en", False, True), in_millionths(np.array([score])))
    return [result.candidate.id for result in ranking.results([None])]


def test_the_best_come_first_and_the_higher_score_where_probabilities_are_equal() -> None:
    assert ranked(0.101, 0.3, 0.103, -0.2, -0.1) == ["1", "2", "0", "4", "3"]


def test_equal_scores_keep_their_order_and_nobody_is_nobody() -> None:
    assert ranked(0.2, 0.5, 0.2, 0.2) == ["1", "0", "2", "3"]
    assert ranked() == []


def test_the_best_few_are_the_same_ones() -> None:
    scores = np.random.default_rng(0).normal(size=9_000).round(6)
    assert ranked(*scores, top=5) == ranked(*scores)[:5]
