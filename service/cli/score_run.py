"""One run of `evenmatch score`: its journal, the model, and what is said on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from service.cli.console import EXIT_USAGE, fail, running, say, stderr
from service.cli.progress import ScoringProgress
from service.cli.ranking import Ranking
from service.core.errors import ErrorCollector, EvenmatchError
from service.core.matching import Match
from service.core.requirements.kinds import Requirement
from service.files.bulk_scoring import BulkScorer, ReadPosting, read_postings
from service.files.document_texts import DocumentTexts
from service.files.postings import Posting
from service.files.resume_files import GivenResumes
from service.files.score_journal import ScoreJournal, fingerprint, journal_of
from service.runtime.runtime import Runtime
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class ScoreRun:
    """What is to be scored and how. `errors`: what could not be read; `skip`: go on without it."""

    settings: Settings
    postings: Sequence[Posting]
    resumes: GivenResumes
    texts: DocumentTexts
    errors: ErrorCollector
    top: int | None
    redact: bool
    skip: bool
    requirements: Sequence[Requirement] | None = None
    """Of the only posting, if they are asked for."""


@contextmanager
def journal_for(output: Path | None, *, resume: bool) -> Iterator[ScoreJournal | None]:
    """The journal beside `output`; None without one. It stays where the block does not remove it.

    Exits if an earlier run left scores in it and this one is not to go on. Raises `TableError` if nothing can
    be written there.
    """
    if output is None:
        yield None
        return
    journal = ScoreJournal(journal_of(output))
    try:
        if journal.entries and not resume:
            fail(
                f"{journal.file} holds {journal.entries:,} scored resumes of a run that broke off: add "
                "--resume to go on from there, or delete it",
                EXIT_USAGE,
            )
        if resume and not journal.entries:
            say("no earlier run to go on from: all resumes are scored")
        yield journal
    except KeyboardInterrupt:
        say(f"interrupted: {_kept(journal)}")
        raise
    except EvenmatchError:
        if journal.entries:
            say(_kept(journal))
        raise
    finally:
        journal.close()


def score(run: ScoreRun, journal: ScoreJournal | None) -> tuple[Ranking, list[str | None]]:
    """Score everything; the ranking, and the ids of the postings in their order.

    Raises an `InputError` that holds all that cannot be read, unless it is skipped and something is left, and
    what breaks a run off: a `TableError` for a full disk, an `EngineError`, a `CapacityError`.
    """
    wrong = ErrorCollector()
    total = run.resumes.count(wrong)
    if not run.skip:  # else the rows come again, and so do their errors
        wrong.raise_any()
        run.errors.raise_any()
    return asyncio.run(_score(run, journal, total))


async def _score(run: ScoreRun, journal: ScoreJournal | None, total: int) -> tuple[Ranking, list[str | None]]:
    with running(run.settings) as runtime:
        with ScoringProgress(len(run.postings), stderr, say, what="postings") as progress:
            postings = await read_postings(runtime, run.postings, run.errors, progress)
        if not (run.skip and postings):
            run.errors.raise_any()
        little = sum(one.job.is_little for one in postings)
        if little:
            say(f"{little:,} of {len(postings):,} postings hold hardly any text: decisions are borderline")
        if journal is not None:
            _begin(journal, _parts(run, postings, runtime))

        norms = [runtime.matcher.norm_of(one.job, one.vectors) for one in postings]
        uncovered = sum(norm is not None and not norm.covered for norm in norms)
        if uncovered:
            say(f"{uncovered:,} of {len(postings):,} postings are not covered by the cohort: as without it")

        def decide(raw_score: float, posting: int) -> Match:
            return runtime.matcher.decide(raw_score, postings[posting].job, norms[posting])

        shift = runtime.prior_shift(None)
        if shift.of != shift.to:
            say(
                f"probabilities are for a pool in which a share {shift.to:g} matches; the threshold is "
                f"{shift.threshold:g} there, and decisions are those of the bundle"
            )
        ranking = Ranking(decide, len(postings), run.top, shift, with_cohort=runtime.cohort is not None)
        scorer = BulkScorer(
            runtime,
            postings,
            run.texts,
            ranking,
            redact=run.redact,
            errors=run.errors,
            skip=run.skip,
            journal=journal,
            requirements=run.requirements,
        )
        with ScoringProgress(total, stderr, say, what="resumes") as progress:
            await scorer.score(run.resumes.each(run.errors), progress)
    if not (run.skip and ranking.added):
        run.errors.raise_any()
    if scorer.reused:
        say(f"{scorer.reused:,} of {ranking.added:,} resumes were scored by the earlier run")
    if scorer.changed:
        say(f"scored anew, since they have changed after the earlier run: {scorer.changed:,}")
    return ranking, [one.posting.id for one in postings]


def _begin(journal: ScoreJournal, parts: dict[str, str]) -> None:
    changed = journal.begin(parts)
    if changed:
        say(f"{' and '.join(changed)} changed since the earlier run: all resumes are scored anew")


def _parts(run: ScoreRun, postings: Sequence[ReadPosting], runtime: Runtime) -> dict[str, str]:
    """What scores depend on beside the resume, as hashes by what a person calls it."""
    redactor, redaction = runtime.matcher.redactor, runtime.options.redaction
    texts = [part for one in postings for part in (one.posting.id, one.posting.title, one.posting.text)]
    options = (
        str(run.redact),
        ",".join(sorted(redactor.categories)) if run.redact else "names alone",
        redaction.entities,
        str(runtime.options.limits.max_text_characters),
        run.texts.limits.model_dump_json(),
        run.texts.encoding,
        *(() if run.requirements is None else ("requirements",)),
    )
    return {
        "the postings": fingerprint(*texts),
        "the bundle or the engine": fingerprint(
            runtime.bundle.digest, runtime.info.name, runtime.info.device, runtime.info.precision
        ),
        "the cohort": fingerprint(runtime.cohort_digest or ""),
        "options": fingerprint(*options),
        "Evenmatch": fingerprint(version("evenmatch")),
    }


def _kept(journal: ScoreJournal) -> str:
    return (
        f"{journal.entries:,} resumes are scored and kept in {journal.file}: the same command with --resume "
        "goes on from there"
    )
