"""A loaded bundle in this process: the service's own reading, redaction, engine and decisions."""

from __future__ import annotations

import asyncio
import threading
import warnings
import weakref
from collections.abc import Collection, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from pydantic_settings import SettingsError

from evenmatch.audits import Audit
from evenmatch.frames import Frame, or_none, rows_of, texts_of
from evenmatch.scores import RedactedResume, Score, Scores
from service.core.bundle import MANIFEST, Bundle
from service.core.calibration import PriorShift, checked_prevalence
from service.core.column_names import guessed_column, list_columns
from service.core.counterfactual.variants import ATTRIBUTES, Attribute
from service.core.counterfactual_audit.plan import AuditResume, CounterfactualOptions
from service.core.errors import (
    BundleError,
    ConfigurationError,
    CountError,
    ErrorCollector,
    InputError,
    InputErrors,
    TableError,
)
from service.core.language import language_of, warnings_of_language
from service.core.matching import Match, TokenizedJob, TokenizedResume
from service.core.no_document import check_document
from service.core.redaction.policy import CATEGORIES, Category
from service.core.requirements.kinds import KINDS, Kind
from service.core.requirements.listing import list_requirements, read_requirements, reason_of
from service.core.resume_warnings import JobWarning, ResumeWarning, needs_a_look
from service.core.vectors import Vectors
from service.files.document_texts import DocumentTexts
from service.reports.counterfactual_audit import CounterfactualSubject
from service.runtime.auditing import audit_resumes
from service.runtime.devices import EngineSetting
from service.runtime.numpy_threads import numpy_in_one_thread
from service.runtime.options import BUNDLES
from service.runtime.reading import tokenize_to_embed
from service.runtime.runtime import Runtime, load_runtime
from service.settings import Settings, variable_of

Text = str | Path
"""A text, or the place of a document: PDF, Word, HTML and what else docs/documents.md names."""

T = TypeVar("T")

_PART_TOKENS = 60_000
"""Of resumes that are encoded at once."""

_STOP_SECONDS = 10.0
_MOST_TOLD = 20
"""Errors that stand in the message of one that holds several."""


def shipped_bundles() -> list[str]:
    """Names of the bundles that come with Evenmatch."""
    return sorted(folder.parent.name for folder in BUNDLES.glob(f"*/{MANIFEST}"))


def load(
    bundle: str | Path | None = None,
    *,
    engine: EngineSetting | None = None,
    base_model: str | None = None,
    cohort: str | Path | None = None,
) -> Model:
    """Load a bundle, as the service does at its start.

    Args:
        bundle: Name of a shipped bundle, or a bundle's folder; None: `EVENMATCH_BUNDLE`, or `minilm-fair`.
        engine: "auto" (the default) takes the fastest here: CUDA, MPS, OpenVINO, torch.
        base_model: Where the base model lies, if not where the bundle says; its hashes must agree.
        cohort: Folder of the cohort that scores are normalised by (docs/cohorts.md); None:
            `EVENMATCH_COHORT`, or no cohort.

    All else is set by the variables of the environment that `evenmatch serve` reads. The first load of a
    bundle on OpenVINO converts it, which takes torch and some seconds; what was converted is kept in
    `EVENMATCH_DATA_DIR`.

    Raises:
        BundleError: There is no such bundle, or it or its base model is damaged.
        CohortError: There is no such cohort, or it is of another bundle.
        EngineError: The engine cannot run here.
        ConfigurationError: A setting is wrong.
    """
    place = None if cohort is None else str(cohort)
    settings = settings_for(bundle, engine=engine, base_model=base_model, cohort=place)
    return Model(load_runtime(settings.runtime), settings)


def settings_for(bundle: str | Path | None, **model: str | float | None) -> Settings:
    """The settings of the environment with this bundle. Raises `BundleError` or `ConfigurationError`."""
    given = {name: value for name, value in model.items() if value is not None}
    if bundle is not None:
        # A `Path` always means a folder, also one that is called as a shipped bundle is.
        given["bundle"] = str(bundle.expanduser().resolve()) if isinstance(bundle, Path) else bundle
    try:
        settings = Settings(model=given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = f"{variable_of(first['loc'])}: " if first["loc"] else ""
        raise ConfigurationError(f"{where}{first['msg']}") from None
    except SettingsError as error:
        raise ConfigurationError(str(error)) from None
    if not settings.model.bundle_path.is_dir():
        raise BundleError(
            f"there is no bundle {settings.model.bundle}: neither a folder nor one of the shipped bundles "
            f"({', '.join(shipped_bundles())})"
        )
    return settings


@contextmanager
def _all_told() -> Iterator[None]:
    """Have an error of several inputs say each of them: a traceback shows its message only."""
    try:
        yield
    except InputErrors as error:
        said = [one.message for one in error.errors[:_MOST_TOLD]]
        if len(error.errors) > _MOST_TOLD:
            said.append(f"and {len(error.errors) - _MOST_TOLD:,} more, see `errors`")
        error.message = "\n".join(said)
        error.args = (error.message,)
        raise


class Model:
    """A bundle that is loaded. Made by `load`; every method may be called from any thread.

    It holds the engine's memory until `close`, the end of a `with` block, or the end of the process.
    """

    def __init__(self, runtime: Runtime, settings: Settings) -> None:
        self._runtime = runtime
        self._settings = settings
        self._documents = DocumentTexts(settings.documents)
        self._loop = _Loop()
        runtime.start()
        self._stop = weakref.finalize(self, _stopped, runtime, self._documents, self._loop)

    @property
    def bundle(self) -> Bundle:
        """The bundle as read: `manifest`, `calibration`, `decision`, `digest`, `path`."""
        return self._runtime.bundle

    @property
    def threshold(self) -> float:
        """The one threshold for everybody, inclusive, on the probability at the bundle's own prevalence."""
        return self.bundle.decision.threshold

    @property
    def engine(self) -> str:
        """Engine, device and precision, as "openvino cpu bf16"."""
        info = self._runtime.info
        return f"{info.name} {info.device} {info.precision}"

    def __repr__(self) -> str:
        return f"<Model {self._name}, threshold {self.threshold:g}, {self.engine}>"

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop its threads and give its memory back; it cannot be used afterwards."""
        self._stop()

    @_all_told()
    def score(
        self,
        job: Text,
        resumes: Text | Sequence[Text],
        *,
        title: str | None = None,
        ids: Sequence[str] | None = None,
        redact: bool = True,
        requirements: bool = False,
        require: Collection[Kind] = (),
        prevalence: float | None = None,
    ) -> Scores:
        """Score resumes for a job, exactly as `POST /v1/score` does; nothing is recorded.

        Args:
            job: The posting.
            resumes: Any number of them: a list, or a column of a data frame.
            title: The job's title; it improves the ranking.
            ids: What to call the resumes, each another; by default "resume-1", "resume-2" and so on.
            redact: Hide names, schools, pronouns and other clues from the model; off, names alone.
            requirements: List the hard facts that the posting asks for, and whether each resume states them
                (docs/requirements.md). Changes no score.
            require: Kinds of requirements, such as "licence": who lacks a required one of them is not
                selected. Lists them, too.
            prevalence: Share of true matches among the resumes, in (0, 1), for which probabilities and
                threshold are given; decisions stay. None: `EVENMATCH_PREVALENCE`, or the bundle's own.

        Returns:
            A score for each resume, in their order.

        Raises:
            InputError: A text is empty, too long, no text at all or unreadable; all of them are named, as
                "resumes[3]" (counted from 0). Or a kind is none, or `prevalence` is no share.
        """
        unknown = sorted(set(require).difference(KINDS))
        if unknown:
            raise InputError(
                f"{unknown[0]} is no kind of requirement; {', '.join(KINDS)} are", field="require"
            )
        shift = self._shift(prevalence)
        texts = texts_of(resumes, "resumes")
        names = _ids(ids, len(texts))
        errors = ErrorCollector()
        tokenized_job = None
        description = ""
        with errors:
            description, _ = self._text(job, "job")
            tokenized_job = self._tokenized_job(description, title)
        read = []
        for place, text in enumerate(texts):
            with errors:
                read.append(self._read_resume(text, f"resumes[{place}]", redact, tokenized_job))
        errors.raise_any()
        assert tokenized_job is not None
        scores = map(_score, names, read, self._matches(tokenized_job, read, shift))
        if requirements or require:
            scores = map(_WithRequirements(description, require), scores, read)
        return self._scores(tuple(scores), redact, tokenized_job, shift)

    @_all_told()
    def score_pairs(
        self,
        frame: Frame,
        *,
        resume_column: str | None = None,
        job_column: str | None = None,
        title_column: str | None = None,
        redact: bool = True,
        prevalence: float | None = None,
    ) -> Scores:
        """Score each row of a data frame: a resume for a job, in the order of the rows.

        Columns that are not named are guessed by what people call them, but for the title's. `prevalence`: as
        in `score`. Raises `TableError` if a column is not there, and what `score` raises, with the row as
        "rows[3]".
        """
        shift = self._shift(prevalence)
        rows = rows_of(frame)
        there = list(rows[0]) if rows else []
        if not rows:
            raise TableError("the data frame holds no rows")
        resume_column = resume_column or guessed_column("resume", there) or "resume"
        job_column = job_column or guessed_column("posting", there) or "job"
        for column in (resume_column, job_column, title_column):
            if column is not None and column not in there:
                raise TableError(
                    f"the data frame has no column {column}; {list_columns(there)}", field=column
                )
        errors = ErrorCollector()
        jobs: dict[tuple[Any, Any], TokenizedJob] = {}
        places: dict[tuple[Any, Any], list[int]] = {}
        read: list[TokenizedResume] = []
        for place, row in enumerate(rows):
            title = row[title_column] if title_column is not None else None
            key = (row[job_column], title)
            with errors:
                if key not in jobs:
                    jobs[key] = self._read_job(key[0], title, f"rows[{place}].{job_column}")
            with errors:
                field = f"rows[{place}].{resume_column}"
                read.append(self._read_resume(row[resume_column], field, redact, jobs.get(key)))
            places.setdefault(key, []).append(place)
        errors.raise_any()
        scores: dict[int, Score] = {}
        for key, of_job in places.items():
            matches = self._matches(jobs[key], [read[place] for place in of_job], shift)
            for place, match in zip(of_job, matches, strict=True):
                scores[place] = _score(f"row-{place + 1}", read[place], match)
        return self._scores(tuple(scores[place] for place in range(len(rows))), redact, None, shift)

    @_all_told()
    def embed(
        self,
        texts: str | Sequence[str],
        *,
        kind: Literal["resume", "job"] = "resume",
        redact: bool = True,
    ) -> NDArray[np.float32]:
        """One unit vector a text, (N, D), as `POST /v1/embed` answers; resumes are redacted.

        A text beyond the model's length is cut, and a warning says how many were. Scores are not made of
        these vectors but of those of short passages. Raises an `InputError` that names the text.
        """
        errors = ErrorCollector()
        read = []
        matcher, tokenizer = self._runtime.matcher, self._runtime.tokenizer
        for place, text in enumerate(texts_of(texts, "texts")):
            with errors:
                field = f"texts[{place}]"
                _check_text(text, field)
                read.append(
                    tokenize_to_embed(
                        matcher,
                        tokenizer,
                        text,
                        kind=kind,
                        redact=redact and kind == "resume",
                        by_passage=False,
                        field=field,
                    )
                )
        errors.raise_any()
        cut = sum(one.truncated for one in read)
        if cut:
            limit = self.bundle.manifest.max_tokens
            warnings.warn(
                f"{cut} of {len(read)} texts have more than {limit} tokens: their vectors are of their "
                "beginning only",
                stacklevel=2,
            )
        embed = self._runtime.embedder.embed([one.sequences[0] for one in read])
        return self._loop.run(embed)

    @_all_told()
    def redact(self, resume: Text, *, categories: Collection[Category] | None = None) -> RedactedResume:
        """A resume as the model would read it, as `POST /v1/redact` answers.

        `categories`: what to hide; by default what the bundle's policy says. Raises an `InputError` for a
        category that is none, or a text that cannot be read.
        """
        unknown = sorted(set(categories or ()).difference(CATEGORIES))
        if unknown:
            raise InputError(f"{unknown[0]} is no category; {', '.join(CATEGORIES)} are", field="categories")
        matcher = self._runtime.matcher
        text, found = self._text(resume, "resume")
        check_document(text, "resume")
        wanted = frozenset(matcher.redactor.categories if categories is None else categories)
        read = matcher.read(text, field="resume", categories=wanted)
        assert read.redacted is not None
        language = language_of(read.document.text)
        findings = read.findings.with_more(found)
        of_language = warnings_of_language(language, read.document.non_latin_script)
        return RedactedResume(
            read.redacted.text,
            dict(read.redacted.counts),
            language,
            (*of_language, *findings.warnings),
            dict(findings.counts),
        )

    @_all_told()
    def audit(
        self,
        job: Text,
        resumes: Text | Sequence[Text],
        *,
        title: str | None = None,
        ids: Sequence[str] | None = None,
        attributes: Sequence[Attribute] = ATTRIBUTES,
        names_per_group: int = 5,
        controls: int = 6,
        redact: bool = True,
        seed: int = 0,
    ) -> Audit:
        """Change names, pronouns, schools and more, one at a time, and compare the scores (docs/audit.md).

        Args:
            job: The posting.
            title: The job's title.
            resumes: At most as many as the service takes in one request, 200 by default.
            ids: What to call the resumes.
            attributes: What to change.
            names_per_group: Names drawn of each group, 2 to 20.
            controls: Benign edits of each resume, 2 to 20: the noise that gaps are judged against.
            redact: Score as with redaction on; off as `score(redact=False)`, names alone hidden.
            seed: The same seed draws the same variants.

        Raises `AuditOptionsError` for options out of range, and what `score` raises.
        """
        known = get_args(Attribute)
        unknown = [name for name in attributes if name not in known]
        if unknown:
            raise InputError(f"{unknown[0]} is no attribute; {', '.join(known)} are", field="attributes")
        options = CounterfactualOptions(tuple(attributes), names_per_group, controls, redact, seed)
        options.check()
        texts = texts_of(resumes, "resumes")
        errors = ErrorCollector()
        audited = []
        description, heading = "", title
        with errors:
            description, _ = self._text(job, "job")
            heading = self._title(title)
        for place, (name, text) in enumerate(zip(_ids(ids, len(texts)), texts, strict=True)):
            with errors:
                read, found = self._text(text, f"resumes[{place}]")
                audited.append(AuditResume(name, read, found=found))
        errors.raise_any()
        report = self._loop.run(audit_resumes(self._runtime, description, heading, audited, options)).report
        manifest, info = self.bundle.manifest, self._runtime.info
        subject = CounterfactualSubject(
            bundle=manifest.name,
            version=manifest.version,
            digest=self.bundle.digest,
            engine=info.name,
            precision=info.precision,
            threshold=self.threshold,
            job=title or "job",
            cohort=self._runtime.cohort_digest,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        return Audit(report, subject)

    @property
    def _name(self) -> str:
        return f"{self.bundle.manifest.name} {self.bundle.manifest.version}"

    def _shift(self, prevalence: float | None) -> PriorShift:
        asked = None if prevalence is None else checked_prevalence(prevalence)
        return self._runtime.prior_shift(asked)

    def _scores(
        self, results: tuple[Score, ...], redact: bool, job: TokenizedJob | None, shift: PriorShift
    ) -> Scores:
        found: tuple[JobWarning, ...] = () if job is None else job.warnings
        if job is not None and self._runtime.cohort is not None:
            vectors = self._loop.run(self._runtime.embedder.embed(job.texts))
            found = self._runtime.matcher.warnings_of(job, vectors)
        return Scores(results, self._name, shift.threshold, redact, found, shift.to)

    def _text(self, given: Any, field: str) -> tuple[str, dict[ResumeWarning, int]]:
        """A text as a reader sees it, and what is to be said of the document that it comes from."""
        if isinstance(given, Path):
            try:
                data = given.read_bytes()
            except OSError as error:
                raise InputError(f"{field}: {given} cannot be read: {error.strerror}", field=field) from None
            text, summary = self._documents.read(data, field=f"{field} ({given.name})")
            return text, dict(summary.of_text)
        _check_text(given, field)
        text, found = self._documents.read_text(given, field=field)
        return text, {} if found is None else dict(found.of_text)

    def _title(self, title: Any) -> str | None:
        """A title as a reader sees it; None and blanks mean that there is none."""
        if or_none(title) is None or (isinstance(title, str) and not title.strip()):
            return None
        _check_text(title, "title")
        return self._documents.read_text(title, field="title")[0]

    def _read_job(self, job: Any, title: Any, field: str = "job") -> TokenizedJob:
        return self._tokenized_job(self._text(job, field)[0], title, field)

    def _tokenized_job(self, description: str, title: Any, field: str = "job") -> TokenizedJob:
        heading = self._title(title)
        return self._runtime.matcher.tokenize_job(description, heading, field=field, title_field="title")

    def _read_resume(self, given: Any, field: str, redact: bool, job: TokenizedJob | None) -> TokenizedResume:
        text, found = self._text(given, field)
        resume = self._runtime.matcher.tokenize_resume(text, redact=redact, field=field, job=job)
        return replace(resume, read=resume.read.with_more(found))

    def _matches(
        self, job: TokenizedJob, resumes: Sequence[TokenizedResume], shift: PriorShift
    ) -> Iterator[Match]:
        for part in _parts(resumes):
            job_vectors, vectors = self._encode(job, part)
            with numpy_in_one_thread():
                matches = self._runtime.matcher.match_all([(job, job_vectors)], vectors)
            for (match,) in matches:
                yield match.reported(shift)

    def _encode(self, job: TokenizedJob, resumes: Sequence[TokenizedResume]) -> tuple[Vectors, list[Vectors]]:
        return self._loop.run(self._runtime.encode(job, resumes))


class _Loop:
    """An event loop in a thread of its own: a notebook's own loop is busy with the cell that waits."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="evenmatch", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for what `work` returns. An interrupt of the waiting thread cancels it."""
        if not self._thread.is_alive():
            work.close()
            raise ConfigurationError("this model was closed: load it again")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()


def _stopped(runtime: Runtime, documents: DocumentTexts, loop: _Loop) -> None:
    loop.stop()
    documents.stop()
    runtime.stop(_STOP_SECONDS)


def _check_text(given: Any, field: str) -> None:
    if not isinstance(given, str):
        kind = "missing" if or_none(given) is None else f"a {type(given).__name__}"
        raise InputError(f"{field} must be a text, is {kind}", field=field)


def _ids(given: Sequence[str] | None, count: int) -> list[str]:
    if given is None:
        return [f"resume-{place + 1}" for place in range(count)]
    ids = [str(one) for one in given]
    if len(ids) != count:
        raise CountError(f"{len(ids)} ids for {count} resumes", field="ids", limit=count, actual=len(ids))
    if len(set(ids)) != count:
        raise InputError("ids: each resume needs another", field="ids")
    return ids


def _score(name: str, resume: TokenizedResume, match: Match) -> Score:
    read = resume.read
    return Score(
        id=name,
        raw_score=match.raw_score,
        calibrated_probability=match.calibrated_probability,
        decision="selected" if match.selected else "not_selected",
        borderline=match.borderline or needs_a_look(read.warnings),
        language=read.language,
        warnings=tuple(read.warnings),
        warning_counts=dict(read.warning_counts),
        redactions=dict(read.redactions or {}),
        cohort_percentile=match.cohort_percentile,
    )


class _WithRequirements:
    """Adds to a score what its resume says to the requirements of a posting, as of today."""

    def __init__(self, posting: str, require: Collection[Kind]) -> None:
        self._required = read_requirements(posting)
        self._kinds = frozenset(require)
        self._today = datetime.now(UTC).date()

    def __call__(self, score: Score, resume: TokenizedResume) -> Score:
        passages = [passage.text for passage in resume.passages]
        listed = list_requirements(self._required, resume.read.document.text, passages, self._today)
        reason = reason_of(listed, self._kinds)
        decision = score.decision if reason is None else "not_selected"
        return replace(score, decision=decision, reason=reason, requirements=listed)


def _parts(resumes: Sequence[TokenizedResume]) -> Iterator[list[TokenizedResume]]:
    part: list[TokenizedResume] = []
    tokens = 0
    for resume in resumes:
        size = sum(map(len, resume.texts))
        if part and tokens + size > _PART_TOKENS:
            yield part
            part, tokens = [], 0
        part.append(resume)
        tokens += size
    if part:
        yield part
