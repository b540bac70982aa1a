"""Scores normalised by a cohort: reference resumes and postings of the pool that postings are about.

Raw scores are not comparable between postings: one is written so that everybody comes close to it, another so
that nobody does. Speaker verification has the same trouble and sets a score against how its two sides score
on references: Z-norm and T-norm (Auckenthaler, Carey & Lloyd-Thomas 2000, Digital Signal Processing 10),
adaptive S-norm with the nearest references only (Matejka et al. 2017, Interspeech). Here:

    b(j) = mean of the `top_resumes` largest raw scores of posting j against the reference resumes
    a(r) = mean of the raw scores of resume r against the reference postings (or its `top_postings` largest)
    A, B = means of a over the reference resumes and of b over the reference postings
    normalised(j, r) = raw(j, r) - resume_weight * (a(r) - A) - posting_weight * (b(j) - B) + c

It is a shift of each posting plus a shift of each resume, on the scale of raw scores, so that the bundle's
calibration and its one threshold still apply. What takes off levels makes scores spread less, and the best
would come below a threshold that was chosen without a cohort: the constant c, the same for everybody, keeps
the upper `kept_share` of the cohort's own pairs where it was. A score depends on the pair and the cohort
alone, never on who else applies. A reference that is the very text being scored does not count for itself:
exact copies are left out of b(j) and a(r) of that pair. A posting without a title has another distribution of
raw scores: its b is set against those of the reference postings without their titles.

A posting that the cohort does not cover is scored as without one, for the shift of a job that nobody in the
pool does would lift everybody onto it: b(j) below the `coverage` quantile of the reference postings' own, or
a cohort of fewer texts than the minimum.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from service.core.scorer import Scorer
from service.core.scoring import SCORE_DECIMALS
from service.core.vectors import Vectors

Scores = NDArray[np.float64]


class Posting(NamedTuple):
    """Unit vectors of a posting's passages, (J, D), and of its title, (D,), or None.

    `shares`: of each passage's words, those that are no boilerplate, (J,) in [0, 1]; None: all.
    """

    body: Vectors
    title: Vectors | None
    shares: Scores | None = None


_SAME = 1e-3
"""Largest difference of a component between two vectors of the same text: half precision and the engine's
noise stay below it, and other words do not."""

_POSTINGS_KEPT = 256
_RESUMES_KEPT = 1024


class CohortPolicy(BaseModel):
    """How scores are normalised (`service.core.cohort` has the formula). It stands in the cohort's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    resume_weight: FiniteFloat = Field(
        default=0.5, ge=0, le=1, description="How much of a resume's own level is taken off."
    )
    posting_weight: FiniteFloat = Field(
        default=1.0, ge=0, le=1, description="How much of a posting's own level is taken off."
    )
    top_resumes: int = Field(
        default=20, ge=1, le=1_000, description="Best reference resumes of a posting that make its level."
    )
    top_postings: int | None = Field(
        default=None,
        ge=1,
        le=1_000,
        description="Best reference postings of a resume that make its level; null: all of them.",
    )
    postings_per_resume: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Reference postings that a resume is scored against: the first so many of the cohort. "
        "What a score costs grows with it.",
    )
    minimum_resumes: int = Field(
        default=40, ge=1, le=10_000, description="With fewer reference resumes nothing is normalised."
    )
    minimum_postings: int = Field(
        default=20, ge=1, le=10_000, description="With fewer reference postings nothing is normalised."
    )
    kept_share: FiniteFloat | None = Field(
        default=0.03,
        gt=0,
        le=0.5,
        description="The quantile of the cohort's own pairs, from the top, that stays where it was, so that "
        "the threshold selects about as many; null: no constant is added.",
    )
    coverage: FiniteFloat = Field(
        default=0.02,
        ge=0,
        le=0.5,
        description="A posting below this quantile of the reference postings' levels is not normalised.",
    )


def vector_scores(postings: Sequence[Posting], resumes: Sequence[Vectors], scorer: Scorer) -> Scores:
    """What is normalised: raw scores, (postings, resumes)."""
    return scorer.scores([scorer.job(*one) for one in postings], [scorer.resume(one) for one in resumes])


@dataclass(frozen=True, eq=False)
class References:
    """The texts of a cohort, as vectors: `postings` and `resumes`, passages (P, D) of unit length."""

    resumes: Sequence[Vectors]
    postings: Sequence[Posting]


@dataclass(frozen=True, eq=False)
class Levels:
    """How the references score on each other; made once, when a cohort is built.

    `of_resumes`: a of each reference resume. `titled`: b of each reference posting, NaN for one without a
    title. `untitled`: b of each without its title. `constant`: c, rounded as scores are.
    """

    of_resumes: Scores
    titled: Scores
    untitled: Scores
    constant: float

    def of_postings(self, *, titled: bool) -> Scores:
        """Levels of the reference postings of a kind."""
        return self.titled[~np.isnan(self.titled)] if titled else self.untitled


def levels_of(references: References, policy: CohortPolicy, scorer: Scorer) -> tuple[Levels, Scores]:
    """The levels of a cohort, and all raw scores of its postings, as they are, against its resumes."""
    bodies = [posting._replace(title=None) for posting in references.postings]
    as_they_are = vector_scores(references.postings, references.resumes, scorer)
    without_titles = vector_scores(bodies, references.resumes, scorer)
    has_title = np.array([posting.title is not None for posting in references.postings], dtype=bool)
    seen = as_they_are[: policy.postings_per_resume]
    of_resumes = np.array([_level(column, policy.top_postings) for column in seen.T])
    levels = np.array([_level(row, policy.top_resumes) for row in as_they_are])
    untitled = np.array([_level(row, policy.top_resumes) for row in without_titles])
    titled_mean = float(np.mean(levels[has_title])) if has_title.any() else 0.0
    means = np.where(has_title, titled_mean, np.mean(untitled))
    # Each pair as it would be scored: its two texts are copies of references.
    without_resume = np.stack([_without_each(row, policy.top_resumes) for row in as_they_are])
    without_posting = np.tile(of_resumes, (len(as_they_are), 1))
    without_posting[: len(seen)] = np.stack(
        [_without_each(column, policy.top_postings) for column in seen.T]
    ).T
    normalised = (
        as_they_are
        - policy.resume_weight * (without_posting - np.mean(of_resumes))
        - policy.posting_weight * (without_resume - means[:, None])
    )
    constant = 0.0
    if policy.kept_share is not None:
        kept = 1.0 - policy.kept_share
        constant = round(
            float(np.quantile(as_they_are, kept) - np.quantile(normalised, kept)), SCORE_DECIMALS
        )
    return Levels(of_resumes, np.where(has_title, levels, np.nan), untitled, constant), as_they_are


@dataclass(frozen=True, slots=True)
class PostingNorm:
    """A posting beside a cohort. `shift`: what its pairs' scores are raised by; 0 if it is not covered.

    `level`: b. `scores`: raw, against each reference resume. `ranks`: the same normalised, in rising order.
    `copies`: indexes of the reference postings that it is.
    """

    covered: bool
    shift: float
    level: float
    scores: Scores = field(repr=False)
    ranks: Scores = field(repr=False)
    copies: NDArray[np.intp] = field(repr=False)

    def percentile(self, normalised: float) -> float | None:
        """Percent of the reference resumes that score lower on this posting, in [0, 100], one decimal.

        None if the posting is not covered.
        """
        if not self.covered:
            return None
        below = int(np.searchsorted(self.ranks, normalised))
        # Rounded down: nobody is told to be better than all of the pool who is not.
        return below * 1_000 // len(self.ranks) / 10


@dataclass(frozen=True, slots=True)
class ResumeNorm:
    """A resume beside a cohort. `shift`: what its pairs' scores are raised by.

    `scores`: raw, of each reference posting that it is scored against. `copies`: indexes of the reference
    resumes that it is.
    """

    shift: float
    scores: Scores = field(repr=False)
    copies: NDArray[np.intp] = field(repr=False)


_Norm = TypeVar("_Norm")


class _Kept(Generic[_Norm]):
    """The latest norms by the bytes of their vectors. A norm is the same whenever it is made."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[bytes, _Norm] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, content: bytes, kind: bytes, make: Callable[[], _Norm]) -> _Norm:
        key = hashlib.blake2b(content, digest_size=20, person=kind).digest()
        with self._lock:
            found = self._known.get(key)
            if found is not None:
                self._known.move_to_end(key)
                return found
        made = make()
        with self._lock:
            self._known[key] = made
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return made


class Cohort:
    """References with their levels, ready to normalise. For any thread.

    `digest`: names it in answers and in the decision log. Equal vectors give equal norms, bit for bit,
    whatever they are scored with.
    """

    def __init__(
        self,
        digest: str,
        references: References,
        levels: Levels,
        policy: CohortPolicy,
        scorer: Scorer,
    ) -> None:
        self.digest = digest
        self.policy = policy
        self.references = references
        self.levels = levels
        self._scorer = scorer
        self._asked = references.postings[: policy.postings_per_resume]
        self._mean_of_resumes = float(np.mean(levels.of_resumes)) if len(levels.of_resumes) else 0.0
        self._resumes_alike = _Alike(references.resumes)
        self._postings_alike = _Alike([_whole(posting) for posting in self._asked])
        self._prepared_resumes = [scorer.resume(one) for one in references.resumes]
        self._prepared_postings = [scorer.job(*one) for one in self._asked]
        self._postings: _Kept[PostingNorm] = _Kept(_POSTINGS_KEPT)
        self._resumes: _Kept[ResumeNorm] = _Kept(_RESUMES_KEPT)

    @property
    def is_too_small(self) -> bool:
        """Whether it holds fewer texts than anything can be normalised by."""
        policy = self.policy
        return (
            len(self.references.resumes) < policy.minimum_resumes
            or len(self.references.postings) < policy.minimum_postings
        )

    @property
    def passages_per_resume(self) -> int:
        """Passages of postings that each resume is compared with: what a resume's norm costs."""
        return sum(len(posting.body) for posting in self._asked)

    def posting(self, posting: Posting) -> PostingNorm:
        """A posting's norm, computed once for each that was seen lately."""
        kind = b"untitled" if posting.title is None else b"titled"
        shares = b"" if posting.shares is None else posting.shares.tobytes()
        content = np.ascontiguousarray(_whole(posting)).tobytes() + shares
        return self._postings.get(content, kind, lambda: self._posting(posting))

    def resume(self, vectors: Vectors) -> ResumeNorm:
        """A resume's norm; `vectors` (R, D)."""
        content = np.ascontiguousarray(vectors).tobytes()
        return self._resumes.get(content, b"resume", lambda: self._resume(vectors))

    def normalised(self, scores: Scores, postings: Sequence[Posting], resumes: Sequence[Vectors]) -> Scores:
        """Normalised scores of all pairs, rounded, from their raw `scores`, (postings, resumes)."""
        of_postings = [self.posting(posting) for posting in postings]
        if not any(one.covered for one in of_postings):
            return scores
        of_resumes = [self.resume(vectors) for vectors in resumes]
        shifts = np.array([one.shift for one in of_resumes])
        found = scores.copy()
        for p, posting in enumerate(of_postings):
            if posting.covered:
                found[p] = scores[p] + posting.shift + shifts
        among = np.array([len(one.copies) > 0 for one in of_resumes], dtype=bool)
        for p, posting in enumerate(of_postings):
            touched = range(len(resumes)) if len(posting.copies) else np.flatnonzero(among)
            for r in touched if posting.covered else ():
                found[p, r] = scores[p, r] + self._shift_of_copies(posting, of_resumes[r])
        # As raw scores are rounded (`pair_scoring`), and not by numpy.
        return np.array([round(float(score), SCORE_DECIMALS) for score in found.flat]).reshape(scores.shape)

    def _posting(self, posting: Posting) -> PostingNorm:
        copies = self._postings_alike.copies(_whole(posting))
        policy, titled = self.policy, posting.title is not None
        of_kind = self.levels.of_postings(titled=titled)
        if self.is_too_small or len(of_kind) < policy.minimum_postings:
            return PostingNorm(False, 0.0, 0.0, np.empty(0), np.empty(0), copies)
        scores = self._scorer.scores([self._scorer.job(*posting)], self._prepared_resumes)[0]
        level = _level(scores, policy.top_resumes)
        covered = level >= float(np.quantile(of_kind, policy.coverage))
        shift = self._posting_shift(level, titled=titled) if covered else 0.0
        of_resumes = policy.resume_weight * (self.levels.of_resumes - self._mean_of_resumes)
        ranks = np.round(np.sort(scores + shift - of_resumes), SCORE_DECIMALS)
        return PostingNorm(covered, shift, level, scores, ranks, copies)

    def _resume(self, vectors: Vectors) -> ResumeNorm:
        # Alone: stacks of several are no faster, and what is computed is the same for whoever asks.
        prepared = self._scorer.resume(vectors)
        scores = np.ascontiguousarray(self._scorer.scores(self._prepared_postings, [prepared])[:, 0])
        level = _level(scores, self.policy.top_postings)
        return ResumeNorm(self._resume_shift(level), scores, self._resumes_alike.copies(vectors))

    def _posting_shift(self, level: float, *, titled: bool) -> float:
        mean = float(np.mean(self.levels.of_postings(titled=titled)))
        return self.levels.constant - self.policy.posting_weight * (level - mean)

    def _resume_shift(self, level: float) -> float:
        return -self.policy.resume_weight * (level - self._mean_of_resumes)

    def _shift_of_copies(self, posting: PostingNorm, resume: ResumeNorm) -> float:
        """The shift of a pair of which a side is among the references: without itself on the other side."""
        policy = self.policy
        of_posting, of_resume = posting.shift, resume.shift
        if 0 < len(resume.copies) < len(posting.scores):
            without = _level(np.delete(posting.scores, resume.copies), policy.top_resumes)
            of_posting -= policy.posting_weight * (without - posting.level)
        if 0 < len(posting.copies) < len(resume.scores):
            without = _level(np.delete(resume.scores, posting.copies), policy.top_postings)
            of_resume = self._resume_shift(without)
        return of_posting + of_resume


class _Alike:
    """Finds which of some texts have the vectors of a given one."""

    def __init__(self, texts: Sequence[Vectors]) -> None:
        by_length: dict[int, list[int]] = defaultdict(list)
        for i, vectors in enumerate(texts):
            by_length[len(vectors)].append(i)
        self._texts = texts
        # Their first passages only: what differs there, as most do, is done with.
        self._first = {
            length: (np.array(some), np.stack([texts[i][0] for i in some]))
            for length, some in by_length.items()
        }

    def copies(self, vectors: Vectors) -> NDArray[np.intp]:
        """Indexes of the texts with the same vectors, but for the engine's noise."""
        indexes, first = self._first.get(len(vectors), (np.empty(0, dtype=np.intp), vectors[:0]))
        near = indexes[np.abs(first - vectors[0]).max(axis=1, initial=0.0) < _SAME]
        same = [i for i in near if np.abs(self._texts[i] - vectors).max() < _SAME]
        return np.array(same, dtype=np.intp)


def _whole(posting: Posting) -> Vectors:
    """All vectors of a posting, its title last."""
    return posting.body if posting.title is None else np.concatenate([posting.body, posting.title[None]])


def _level(scores: Scores, top: int | None) -> float:
    """The mean of the `top` largest scores, or of all."""
    if top is None or top >= len(scores):
        return float(np.mean(np.sort(scores)))
    return float(np.mean(np.sort(scores)[-top:]))


def _without_each(scores: Scores, top: int | None) -> Scores:
    """`_level` of the others, for each of the scores; that of all where there is one only."""
    if len(scores) == 1:
        return scores.copy()
    if top is None or top >= len(scores):
        others: Scores = (scores.sum() - scores) / (len(scores) - 1)
        return others
    ordered = np.sort(scores)
    best, following = ordered[-top:], ordered[-top - 1]
    without: Scores = np.where(scores >= best[0], best.sum() - scores + following, best.sum()) / top
    return without
