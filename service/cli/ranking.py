"""The scores of a run, in little memory, and the ranking of each posting that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from service.core.calibration import PriorShift
from service.core.matching import Match
from service.files.result_files import Result, ScoredCandidate
from service.files.score_journal import MILLIONTHS, Scores

Decide = Callable[[float, int], Match]
"""What is said of a raw score against a posting, by its index."""

_ROWS_BEFORE_PRUNING = 4_096


class Ranking:
    """Ranks candidates of each posting by calibrated probability, then by raw score, then as they came.

    `postings`: how many there are. `top`: how many candidates of each posting are kept; who can
    no longer be among them is dropped on the way. `shift`: how probabilities are reported. `with_cohort`:
    results have percentiles.
    """

    def __init__(
        self,
        decide: Decide,
        postings: int,
        top: int | None = None,
        shift: PriorShift | None = None,
        *,
        with_cohort: bool = False,
    ) -> None:
        self._shift = shift
        self._with_cohort = with_cohort
        self._decide = decide
        self._postings = postings
        self._top = top
        self._candidates: list[ScoredCandidate] = []
        self._scores: list[Scores] = []
        self._prune_at = max(_ROWS_BEFORE_PRUNING, 2 * (top or 0) * postings)
        self.added = 0

    def add(self, candidate: ScoredCandidate, scores: Scores) -> None:
        """One more candidate, with a score for each posting."""
        self.added += 1
        self._candidates.append(candidate)
        self._scores.append(scores)
        if self._top is not None and len(self._candidates) >= self._prune_at:
            self._prune(self._top)

    def results(self, job_ids: Sequence[str | None]) -> Iterator[Result]:
        """Results of each posting in turn, the best first."""
        for posting, job_id in enumerate(job_ids):
            matches, order = self._ranked(posting)
            for rank, i in enumerate(order[: self._top], 1):
                match = matches[i] if self._shift is None else matches[i].reported(self._shift)
                yield Result(rank, self._candidates[i], match, job_id, posting, with_cohort=self._with_cohort)

    def _ranked(self, posting: int) -> tuple[list[Match], NDArray[np.intp]]:
        matches = [self._decide(int(row[posting]) / MILLIONTHS, posting) for row in self._scores]
        # Far below the threshold probabilities differ by less than they are rounded to; raw scores still do.
        scores = np.array([(match.raw_score, match.calibrated_probability) for match in matches])
        return matches, np.lexsort((-scores[:, 0], -scores[:, 1])) if matches else np.empty(0, dtype=np.intp)

    def _prune(self, top: int) -> None:
        best = [self._ranked(posting)[1][:top] for posting in range(self._postings)]
        kept = np.unique(np.concatenate(best))
        self._candidates = [self._candidates[i] for i in kept]
        self._scores = [self._scores[i] for i in kept]
