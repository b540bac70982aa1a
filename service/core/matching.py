"""A job and a resume -> token ids -> vectors -> a match, and which passages carry it.

Nothing here runs an engine: callers encode the token ids and hand the vectors back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from service.core.bundle import Bundle
from service.core.calibration import PriorShift
from service.core.cohort import Cohort, Posting, PostingNorm
from service.core.copied_text import Runs, RunsOfPostings, runs_of
from service.core.documents import MAX_TEXT_CHARACTERS, Document, read_document
from service.core.errors import ErrorCollector, TextTooLongError
from service.core.language import language_of, warnings_of_language
from service.core.no_document import check_document
from service.core.posting_boilerplate import work_shares
from service.core.redaction.given import GivenSpan
from service.core.redaction.policy import Category
from service.core.redaction.redactor import Redactor
from service.core.resume_warnings import Findings, JobWarning, ResumeWarning, is_little_posting
from service.core.scorer import PreparedJob, ScoreParts, Scorer
from service.core.scoring import SCORE_DECIMALS
from service.core.text_reader import Cancelled, InProcessReader, ReadText, TextReader, never
from service.core.tokenization import Passage, TextTokenizer, TokenIds
from service.core.vectors import Vectors

MAX_TITLE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class TokenizedJob:
    """A job's passages and, if it has one, its title. `runs`: of words, by which copies are told.

    `is_little`: it says too little to judge anybody by. `shares`: of each passage's words, those that are no
    boilerplate, (J,) in [0, 1]; None where that was not asked for, or all are.
    """

    passages: list[Passage]
    title: TokenIds | None
    language: str
    non_latin_script: bool
    runs: Runs = frozenset()
    is_little: bool = False
    shares: NDArray[np.float64] | None = field(default=None, compare=False)

    @property
    def warnings(self) -> tuple[JobWarning, ...]:
        """Why decisions about it deserve less trust."""
        language: tuple[JobWarning, ...] = warnings_of_language(self.language, self.non_latin_script)
        return (*language, "little_text") if self.is_little else language

    @property
    def texts(self) -> list[TokenIds]:
        """All that must be encoded: the title (if any) first, then the passages."""
        bodies = [passage.ids for passage in self.passages]
        return bodies if self.title is None else [self.title, *bodies]


@dataclass(frozen=True, slots=True)
class ReadResume:
    """A resume's text as the model may see it. `redactions` is None if nothing was asked to be hidden.

    Names stand in it by their token even then (`redaction.name_places`), but for a matcher that keeps them.

    `warnings`: why its score, and what was hidden, deserve less trust; `warning_counts`: how much of it, for
    the warnings that count something.
    """

    document: Document
    redactions: Mapping[Category, int] | None
    language: str
    warnings: tuple[ResumeWarning, ...] = ()
    warning_counts: Mapping[ResumeWarning, int] = field(default_factory=dict)

    def with_more(self, more: Mapping[ResumeWarning, int]) -> ReadResume:
        """With more of what warnings count: words copied from a posting, hidden characters."""
        found = Findings(self.warnings, self.warning_counts).with_more(more)
        return replace(self, warnings=found.warnings, warning_counts=found.counts)


@dataclass(frozen=True, slots=True)
class TokenizedResume:
    """The passages of a `ReadResume`."""

    read: ReadResume
    passages: list[Passage]

    @property
    def texts(self) -> list[TokenIds]:
        """All that must be encoded."""
        return [passage.ids for passage in self.passages]


@dataclass(frozen=True, slots=True)
class Match:
    """`raw_score`, `calibrated_probability` in [0, 1], and the one threshold applied to it.

    `cohort_percentile`: percent of the cohort's resumes that score lower on this posting; None without a
    cohort, or if it does not cover the posting.
    """

    raw_score: float
    calibrated_probability: float
    selected: bool
    borderline: bool
    cohort_percentile: float | None = None

    def reported(self, shift: PriorShift) -> Match:
        """The same decision, with the probability for a pool of another prevalence."""
        if shift.of == shift.to:
            return self
        return replace(self, calibrated_probability=shift.probability(self.calibrated_probability))


class Matcher:
    """Redacts, tokenizes and scores by the policy of one bundle.

    `redactor`: by default that of the bundle's policy. `reader`: reads texts by the same redactor; by default
    in the caller's thread. `cohort`: what scores are normalised by, which must fit the bundle
    (`cohort_file.check_fits`); None leaves them as they are. `keeps_names`: a resume that is not to be
    redacted is read as it stands; else its names are hidden all the same, so that nobody's name decides. It
    is there to measure what the encoder makes of names; nothing that decides about people keeps them.
    """

    def __init__(
        self,
        bundle: Bundle,
        tokenizer: TextTokenizer,
        *,
        redactor: Redactor | None = None,
        reader: TextReader | None = None,
        max_characters: int = MAX_TEXT_CHARACTERS,
        cohort: Cohort | None = None,
        keeps_names: bool = False,
    ) -> None:
        self.bundle = bundle
        self.keeps_names = keeps_names
        self.cohort = cohort
        self.redactor = redactor or Redactor(bundle.manifest.redaction.categories)
        self.reader = reader or InProcessReader(self.redactor)
        self.scorer = Scorer(bundle.manifest.matching, bundle.occupations)
        self._tokenizer = tokenizer
        self._max_characters = max_characters
        self._tells_boilerplate = bundle.manifest.matching.boilerplate

    def read(
        self,
        text: str,
        *,
        field: str,
        categories: Collection[Category] | None,
        given: Sequence[GivenSpan] = (),
        names_alone: bool = False,
        cancelled: Cancelled = never,
    ) -> ReadText:
        """As `TextReader.read`, with the limit on characters that this matcher has."""
        return self.reader.read(
            text,
            field=field,
            max_characters=self._max_characters,
            categories=categories,
            given=given,
            names_alone=names_alone,
            cancelled=cancelled,
        )

    def tokenize_job(
        self,
        description: str,
        title: str | None,
        *,
        field: str = "job",
        title_field: str = "job.title",
        cancelled: Cancelled = never,
    ) -> TokenizedJob:
        """Raises an `InputError` that names the field if a text is none, empty, too long or unreadable."""
        errors = ErrorCollector()
        with errors:
            check_document(description, field)
            document = self.read(description, field=field, categories=None, cancelled=cancelled).document
            passages = self._tokenizer.encode_passages(document, "job", field=field)
        with errors:
            title_ids = None if title is None else self._tokenize_title(title, title_field)
        errors.raise_any()
        return TokenizedJob(
            passages,
            title_ids,
            language_of(document.text),
            document.non_latin_script,
            runs_of(document.text),
            is_little_posting(document.text, title),
            work_shares(document.text, [one.text for one in passages]) if self._tells_boilerplate else None,
        )

    def read_resume(
        self, text: str, *, redact: bool = True, field: str = "resume", cancelled: Cancelled = never
    ) -> ReadResume:
        """Normalise and redact, or hide names alone. Raises an `InputError` that names the field."""
        return _as_scored(self._read_resume(text, redact, field, cancelled))

    def tokenize_resume(
        self,
        text: str,
        *,
        redact: bool = True,
        field: str = "resume",
        job: TokenizedJob | None = None,
        cancelled: Cancelled = never,
    ) -> TokenizedResume:
        """A resume to score, against `job` if its warnings are to say whether it repeats it.

        Raises an `InputError` that names the field if the text is no document, empty, too long or unreadable.
        """
        resume, repeated = self.tokenize_resume_for(
            text,
            RunsOfPostings([] if job is None else [job.runs]),
            redact=redact,
            field=field,
            cancelled=cancelled,
        )
        if not repeated:
            return resume
        return replace(resume, read=resume.read.with_more({"repeats_posting": repeated[0]}))

    def tokenize_resume_for(
        self,
        text: str,
        postings: RunsOfPostings,
        *,
        redact: bool = True,
        field: str = "resume",
        cancelled: Cancelled = never,
    ) -> tuple[TokenizedResume, dict[int, int]]:
        """A resume to score against many jobs, and which of `postings` it repeats with how many of its words.

        About those its own warnings say nothing. Raises as `tokenize_resume`.
        """
        read = self._read_resume(text, redact, field, cancelled)
        repeated = postings.repeated_by(read.document.text)
        if read.document.non_latin_script and (redact or read.without_names is not None):
            # Redaction may leave little but its own tokens, which are readable: check the text as it came.
            self._tokenizer.encode_passages(read.document, "resume", field=field)
        return self.tokenize_read(_as_scored(read), field=field), repeated

    def _read_resume(self, text: str, redact: bool, field: str, cancelled: Cancelled) -> ReadText:
        check_document(text, field)
        categories = self.redactor.categories if redact else None
        names_alone = not redact and not self.keeps_names
        return self.read(
            text, field=field, categories=categories, names_alone=names_alone, cancelled=cancelled
        )

    def tokenize_read(self, read: ReadResume, *, field: str = "resume") -> TokenizedResume:
        """Raises `UnreadableTextError` if most tokens are unknown."""
        return TokenizedResume(read, self._tokenizer.encode_passages(read.document, "resume", field=field))

    def match(self, job: TokenizedJob, job_vectors: Vectors, resume_vectors: Vectors) -> Match:
        """Score one pair. job_vectors (len(job.texts), D), resume_vectors (R, D), rows of length 1."""
        score = self.raw_score(job, job_vectors, resume_vectors)
        return self.decide(score, job, self.norm_of(job, job_vectors))

    def match_all(
        self, jobs: Sequence[tuple[TokenizedJob, Vectors]], resumes: Sequence[Vectors]
    ) -> list[list[Match]]:
        """`match` of every job and resume: a list for each resume. Shapes as there."""
        scores = self.raw_scores(jobs, resumes)
        norms = [self.norm_of(job, vectors) for job, vectors in jobs]
        return [
            [
                self.decide(float(score), job, norm)
                for score, (job, _), norm in zip(column, jobs, norms, strict=True)
            ]
            for column in scores.T
        ]

    def raw_scores(
        self, jobs: Sequence[tuple[TokenizedJob, Vectors]], resumes: Sequence[Vectors]
    ) -> NDArray[np.float64]:
        """`raw_score` of every job and resume, (jobs, resumes). Shapes as in `match`."""
        scores = self.similarities(jobs, resumes)
        if self.cohort is None:
            return scores
        return self.cohort.normalised(scores, [posting_of(*job) for job in jobs], resumes)

    def similarities(
        self, jobs: Sequence[tuple[TokenizedJob, Vectors]], resumes: Sequence[Vectors]
    ) -> NDArray[np.float64]:
        """`raw_scores` before any cohort."""
        return self.scorer.scores(
            [self.prepared(job, vectors) for job, vectors in jobs],
            [self.scorer.resume(vectors) for vectors in resumes],
        )

    def prepared(self, job: TokenizedJob, vectors: Vectors) -> PreparedJob:
        """A job to score, from the vectors of its texts, (len(job.texts), D)."""
        return self.scorer.job(*posting_of(job, vectors))

    def norm_of(self, job: TokenizedJob, job_vectors: Vectors) -> PostingNorm | None:
        """How the cohort scores on a job; None without a cohort. Computed once for each job."""
        return None if self.cohort is None else self.cohort.posting(posting_of(job, job_vectors))

    def warnings_of(self, job: TokenizedJob, job_vectors: Vectors) -> tuple[JobWarning, ...]:
        """Why decisions about a job deserve less trust, the cohort's reasons among them."""
        norm = self.norm_of(job, job_vectors)
        return job.warnings if norm is None or norm.covered else (*job.warnings, "cohort_does_not_cover")

    def decide(self, raw_score: float, job: TokenizedJob, norm: PostingNorm | None = None) -> Match:
        """What is said of a score against `job`. `norm`: the job's, for the percentile."""
        rule = self.bundle.decision
        probability = self.bundle.calibration.probability(raw_score, titled=job.title is not None)
        is_borderline = job.is_little or rule.is_borderline(probability)
        percentile = None if norm is None else norm.percentile(raw_score)
        return Match(raw_score, probability, rule.is_selected(probability), is_borderline, percentile)

    def raw_score(self, job: TokenizedJob, job_vectors: Vectors, resume_vectors: Vectors) -> float:
        """The bundle's score of a pair (`scorer.py`), normalised by the cohort; shapes as in `match`.

        In [-1, 1] without a cohort.
        """
        score = self.similarity(job, job_vectors, resume_vectors)
        if self.cohort is None:
            return score
        pair = self.cohort.normalised(np.array([[score]]), [posting_of(job, job_vectors)], [resume_vectors])
        return float(pair[0, 0])

    def similarity(self, job: TokenizedJob, job_vectors: Vectors, resume_vectors: Vectors) -> float:
        """`raw_score` before any cohort, in [-1, 1]."""
        return self.scorer.score(self.prepared(job, job_vectors), self.scorer.resume(resume_vectors))

    def score_parts(self, job: TokenizedJob, job_vectors: Vectors, resume_vectors: Vectors) -> ScoreParts:
        """What `similarity` is made of."""
        return self.scorer.parts(self.prepared(job, job_vectors), self.scorer.resume(resume_vectors))

    def scores_without_each(
        self, job: TokenizedJob, job_vectors: Vectors, resume_vectors: Vectors
    ) -> list[float]:
        """`similarity` without each of the resume's passages, of which there are two at least."""
        return self.scorer.without_each(self.prepared(job, job_vectors), self.scorer.resume(resume_vectors))

    def _tokenize_title(self, title: str, field: str) -> TokenIds:
        check_document(title, field)
        document = read_document(title, field=field, max_characters=MAX_TITLE_CHARACTERS)
        tokenized = self._tokenizer.encode_text(document, "job", field=field)
        if tokenized.truncated:
            limit = self._tokenizer.max_tokens
            raise TextTooLongError(f"{field} has more than {limit} tokens", field=field, limit=limit)
        return tokenized.ids


def posting_of(job: TokenizedJob, vectors: Vectors) -> Posting:
    """A job as a scorer and a cohort take it, from the vectors of its texts, (len(job.texts), D)."""
    if job.title is None:
        return Posting(vectors, None, job.shares)
    return Posting(vectors[1:], vectors[0], job.shares)


def _as_scored(read: ReadText) -> ReadResume:
    """What the model may see of a text. The language is that of the text as it came."""
    language = language_of(read.document.text)
    warnings = (*warnings_of_language(language, read.document.non_latin_script), *read.findings.warnings)
    if read.redacted is None:
        seen = (
            read.document if read.without_names is None else replace(read.document, text=read.without_names)
        )
        return ReadResume(seen, None, language, warnings, read.findings.counts)
    document = replace(read.document, text=read.redacted.text)
    return ReadResume(document, read.redacted.counts, language, warnings, read.findings.counts)


@dataclass(frozen=True, slots=True)
class PassageContribution:
    """`contribution` in raw_score units. `text` is what the model read: redacted spans are tokens in it.

    `job_passage` is the index of the job's passage that is nearest to this one, `similarity` their
    cosine in [-1, 1]. `contribution` is None for the only passage of a resume: without it nothing is left.
    """

    index: int
    text: str
    contribution: float | None
    job_passage: int
    similarity: float


def explain(
    matcher: Matcher,
    job: TokenizedJob,
    job_vectors: Vectors,
    resume: TokenizedResume,
    resume_vectors: Vectors,
) -> list[PassageContribution]:
    """Contributions of the resume's passages, in their order, by occlusion. Shapes as in `Matcher.match`.

        contribution(r) = raw_score(all passages) - raw_score(all but r)

    A positive contribution raised the score, a negative one lowered it. Passages are encoded alone, so an
    explanation needs no further inference and costs about as much as a score. Contributions do not add up to
    the score, since late interaction is not linear. A cohort's shift is that of the whole resume throughout:
    it says how the resume scores on other postings, which is not a merit of one of its passages.
    """
    whole = matcher.similarity(job, job_vectors, resume_vectors)
    bodies = job_vectors if job.title is None else job_vectors[1:]
    without: list[float] = []
    if len(resume.passages) > 1:
        without = matcher.scores_without_each(job, job_vectors, resume_vectors)
    explained = []
    for i, passage in enumerate(resume.passages):
        contribution = round(whole - without[i], SCORE_DECIMALS) if without else None
        cosines = bodies @ resume_vectors[i]  # (J,)
        nearest = int(np.argmax(cosines))
        similarity = round(float(cosines[nearest]), SCORE_DECIMALS)
        explained.append(PassageContribution(i, passage.text, contribution, nearest, similarity))
    return explained
