"""A job and a resume -> token ids -> vectors -> a match. Pure: who runs the engine is the caller's choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.core.bundle import Bundle
from service.core.documents import MAX_TEXT_CHARACTERS, read_document
from service.core.errors import ErrorCollector, TextTooLongError
from service.core.scoring import Vectors, late_interaction
from service.core.tokenization import TextTokenizer, TokenIds

MAX_TITLE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class TokenizedJob:
    """A job's passages and, if it has one, its title."""

    passages: list[TokenIds]
    title: TokenIds | None
    non_latin_script: bool

    @property
    def texts(self) -> list[TokenIds]:
        """All that must be encoded: the title (if any) first, then the passages."""
        return self.passages if self.title is None else [self.title, *self.passages]


@dataclass(frozen=True, slots=True)
class TokenizedResume:
    passages: list[TokenIds]
    non_latin_script: bool


@dataclass(frozen=True, slots=True)
class Match:
    """`raw_score` in [-1, 1], `calibrated_probability` in [0, 1], and the one threshold applied to it."""

    raw_score: float
    calibrated_probability: float
    selected: bool
    borderline: bool


class Matcher:
    """Tokenizes and scores by the policy of one bundle."""

    def __init__(
        self, bundle: Bundle, tokenizer: TextTokenizer, *, max_characters: int = MAX_TEXT_CHARACTERS
    ) -> None:
        self.bundle = bundle
        self._tokenizer = tokenizer
        self._max_characters = max_characters

    def tokenize_job(
        self, description: str, title: str | None, *, field: str = "job", title_field: str = "job.title"
    ) -> TokenizedJob:
        """Raises an `InputError` that names the field if a text is empty, too long or unreadable."""
        errors = ErrorCollector()
        with errors:
            document = read_document(description, field=field, max_characters=self._max_characters)
            passages = self._tokenizer.encode_passages(document, "job", field=field)
        with errors:
            title_ids = None if title is None else self._tokenize_title(title, title_field)
        errors.raise_any()
        return TokenizedJob(passages, title_ids, document.non_latin_script)

    def tokenize_resume(self, text: str, *, field: str = "resume") -> TokenizedResume:
        """Raises an `InputError` that names the field if the text is empty, too long or unreadable."""
        document = read_document(text, field=field, max_characters=self._max_characters)
        return TokenizedResume(
            passages=self._tokenizer.encode_passages(document, "resume", field=field),
            non_latin_script=document.non_latin_script,
        )

    def tokenize_all(
        self, description: str, title: str | None, resumes: Sequence[str]
    ) -> tuple[TokenizedJob, list[TokenizedResume]]:
        """Tokenize a job and its candidates; raises one error that holds all that is wrong with them."""
        errors = ErrorCollector()
        tokenized = []
        with errors:
            job = self.tokenize_job(description, title, field="job.description")
        for i, resume in enumerate(resumes):
            with errors:
                tokenized.append(self.tokenize_resume(resume, field=f"candidates[{i}].resume"))
        errors.raise_any()
        return job, tokenized

    def match(self, job: TokenizedJob, job_vectors: Vectors, resume_vectors: Vectors) -> Match:
        """Score one pair. job_vectors (len(job.texts), D), resume_vectors (R, D), rows of length 1."""
        manifest, calibration, rule = self.bundle.manifest, self.bundle.calibration, self.bundle.decision
        if job.title is None:
            raw_score = late_interaction(job_vectors, resume_vectors, None, manifest.matching)
            probability = calibration.without_title.probability(raw_score)
        else:
            title, body = job_vectors[0], job_vectors[1:]
            raw_score = late_interaction(body, resume_vectors, title, manifest.matching)
            probability = calibration.with_title.probability(raw_score)
        return Match(raw_score, probability, rule.is_selected(probability), rule.is_borderline(probability))

    def _tokenize_title(self, title: str, field: str) -> TokenIds:
        document = read_document(title, field=field, max_characters=MAX_TITLE_CHARACTERS)
        tokenized = self._tokenizer.encode_text(document, "job", field=field)
        if tokenized.truncated:
            limit = self._tokenizer.max_tokens
            raise TextTooLongError(f"{field} has more than {limit} tokens", field=field, limit=limit)
        return tokenized.ids
