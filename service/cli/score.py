"""`evenmatch score`: rank resumes against a posting, or against many."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.cli.console import (
    EXIT_UNUSABLE_MODEL,
    EXIT_USAGE,
    BundleOption,
    CohortOption,
    EncodingOption,
    IdColumn,
    NumberRows,
    ResumesArgument,
    SkipOption,
    TextColumn,
    TitleOption,
    add_row,
    check_encoding,
    document_texts,
    end_skipped,
    exit_codes,
    fail,
    say,
    settings_from,
)
from service.cli.score_on_ray import (
    BlockRowsOption,
    CpusOption,
    GpusOption,
    RayAddressOption,
    RecordOption,
    WorkersOption,
    score_on_ray,
)
from service.cli.score_run import ScoreRun, journal_for
from service.cli.score_run import score as score_all
from service.core.errors import ErrorCollector
from service.core.printable import one_line
from service.core.requirements.kinds import KINDS, Found, Kind, Requirement
from service.core.requirements.listing import RequirementResult, read_requirements, reason_of
from service.files.postings import PostingOptions, read_posting, read_postings
from service.files.result_files import Result, check_result_suffix, check_results_file, write_results
from service.files.resume_files import GivenResumes, ResumeOptions
from service.logs import log_to_stderr
from service.ray_data.cluster import Workers
from service.ray_data.inputs import TableColumns
from service.ray_data.run import DEFAULT_BLOCK_ROWS, RayRun


def score(
    resumes: ResumesArgument,
    job: Annotated[str | None, typer.Option(help="The posting, a document of any kind.")] = None,
    jobs: Annotated[
        str | None,
        typer.Option(help="Many postings: a table with one a row, or a folder or ZIP archive of documents."),
    ] = None,
    title: TitleOption = None,
    top: Annotated[
        int | None, typer.Option(min=1, help="Only the best so many candidates of each posting.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Write .jsonl, .csv or .parquet instead of a table; with --engine ray, a folder or URI.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on where a run with the same --output broke off. Until a run is done, a hidden journal "
            "beside the output (.OUTPUT.journal) keeps ids and scores, no text. Resumes that have changed "
            "are scored anew; all of them if the postings, the bundle or options have.",
        ),
    ] = False,
    id_column: IdColumn = None,
    text_column: TextColumn = None,
    number_rows: NumberRows = False,
    job_id_column: Annotated[
        str | None, typer.Option(help="With --jobs: the column with the posting's id.")
    ] = None,
    job_title_column: Annotated[str | None, typer.Option(help="With --jobs: that with its title.")] = None,
    job_text_column: Annotated[str | None, typer.Option(help="With --jobs: that with its text.")] = None,
    redact: Annotated[
        bool, typer.Option(help="Hide names, schools and the like from the model; off, names alone.")
    ] = True,
    requirements: Annotated[
        bool,
        typer.Option(
            "--requirements",
            help="List the hard facts that the posting of --job asks for, and whether each resume states "
            "them.",
        ),
    ] = False,
    require: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help="Do not select whose resume lacks a required fact of this kind, or of `all`: "
            f"{', '.join(KINDS)}. May be given several times.",
        ),
    ] = None,
    prevalence: Annotated[
        float | None,
        typer.Option(
            help="Share of true matches among the pairs, in (0, 1): probabilities are given for it, "
            "decisions stay [EVENMATCH_PREVALENCE]."
        ),
    ] = None,
    bundle: BundleOption = None,
    cohort: CohortOption = None,
    engine: Annotated[
        str | None,
        typer.Option(
            help="auto, openvino, torch, ... [EVENMATCH_ENGINE]; or ray: on many machines, into a folder "
            "(docs/ray.md)."
        ),
    ] = None,
    encoding: EncodingOption = None,
    skip_unreadable: SkipOption = False,
    workers: WorkersOption = None,
    cpus_per_worker: CpusOption = None,
    gpus_per_worker: GpusOption = None,
    ray_address: RayAddressOption = None,
    block_rows: BlockRowsOption = None,
    record: RecordOption = False,
) -> None:
    """Rank resumes against a posting, or many, best first. Nothing is sent anywhere.

    The output appears whole, when all is scored, or not at all. See docs/cli.md; with --engine ray it is a
    folder, to which each finished block is added (docs/ray.md).
    """
    on_ray = engine == "ray"
    given = {
        "--workers": workers,
        "--cpus-per-worker": cpus_per_worker,
        "--gpus-per-worker": gpus_per_worker,
        "--ray-address": ray_address,
        "--block-rows": block_rows,
        "--record": record or None,
    }
    for option, value in given.items():
        if value is not None and not on_ray:
            fail(f"{option} is for --engine ray", EXIT_USAGE)
    if on_ray:
        engine = None
    settings = settings_from(
        model={"bundle": bundle, "engine": engine, "prevalence": prevalence, "cohort": cohort}
    )
    log_to_stderr("warning")
    if (job is None) == (jobs is None):
        fail("give either --job or --jobs", EXIT_USAGE)
    if title is not None and job is None:
        fail("--title is for --job; the titles of --jobs stand in a column", EXIT_USAGE)
    if on_ray:
        for option, wanted in (("--top", top), ("--requirements", requirements), ("--require", require)):
            if wanted:
                fail(f"{option} does not go with --engine ray, whose output is not ranked", EXIT_USAGE)
        if output is None:
            fail("--engine ray needs --output, a folder", EXIT_USAGE)
        check_encoding(encoding)
        score_on_ray(
            RayRun(
                resumes,
                str(output),
                settings.runtime,
                settings.documents,
                settings.store,
                settings.archives,
                job=job,
                jobs=jobs,
                title=title,
                columns=TableColumns(id_column, text_column, encoding, number_rows),
                postings=PostingOptions(job_id_column, job_title_column, job_text_column, encoding),
                redact=redact,
                workers=Workers(workers, cpus_per_worker or 1, gpus_per_worker or 0.0, ray_address),
                block_rows=block_rows or DEFAULT_BLOCK_ROWS,
                resume=resume,
                record=record,
            )
        )
        return
    kinds = _kinds(require or ())
    listed = requirements or bool(kinds)
    if listed and job is None:
        fail("--requirements and --require are for --job, one posting", EXIT_USAGE)
    if resume and output is None:
        fail("--resume needs --output, beside which the journal lies", EXIT_USAGE)
    file = None if output is None else Path(output)
    if file is not None and (wrong := check_result_suffix(file)):
        fail(f"--output {wrong}", EXIT_USAGE)
    errors = ErrorCollector()
    archives = settings.archives
    with exit_codes(), document_texts(settings, encoding) as texts:
        if job is not None:
            postings = [read_posting(job, title, texts, archives=archives)]
        else:
            columns = PostingOptions(job_id_column, job_title_column, job_text_column, encoding)
            postings = read_postings(jobs or "", columns, texts, archives=archives, errors=errors, say=say)
        no_resumes = [Path(one) for one in (job, jobs, output) if one is not None]
        options = ResumeOptions(id_column, text_column, encoding, number_rows, archives, no_resumes)
        found = GivenResumes(
            resumes, options, max_bytes=texts.limits.max_document_bytes, errors=errors, say=say
        )
        if file is not None:
            if file.resolve() in found.paths:
                fail(f"--output {file} is a file of resumes, which it would replace", EXIT_USAGE)
            check_results_file(file)
        required = read_requirements(postings[0].text) if listed else None
        run = ScoreRun(settings, postings, found, texts, errors, top, redact, skip_unreadable, required)
        try:
            with journal_for(file, resume=resume) as journal:
                ranking, ids = score_all(run, journal)
                results = ranking.results(ids)
                if required is not None:
                    results = _with_requirements(results, required, kinds)
                if file is None:
                    _print_tables(results, required)
                else:
                    say(f"wrote {write_results(results, file):,} results to {file}")
                if journal is not None:
                    journal.remove()
        except KeyboardInterrupt:
            raise typer.Exit(EXIT_UNUSABLE_MODEL) from None
        end_skipped(errors)


def _kinds(given: Iterable[str]) -> frozenset[Kind]:
    """The kinds that were named; exits if one is none."""
    named = {kind for one in given for kind in (KINDS if one == "all" else (one,))}
    unknown = sorted(named.difference(KINDS))
    if unknown:
        fail(f"--require {unknown[0]} is no kind of requirement: {', '.join(KINDS)} are, or all", EXIT_USAGE)
    return frozenset(kind for kind in KINDS if kind in named)


def _with_requirements(
    results: Iterable[Result], required: Sequence[Requirement], kinds: Collection[Kind]
) -> Iterator[Result]:
    """The results with what their resumes say to the posting's requirements, and what follows from it."""
    for result in results:
        listed = tuple(
            RequirementResult(one.text, one.kind, one.required, found, where)
            for one, (found, where) in zip(required, result.candidate.evidence or (), strict=True)
        )
        yield replace(result, requirements=listed, reason=reason_of(listed, kinds))


def _print_tables(results: Iterable[Result], required: Sequence[Requirement] | None) -> None:
    """A table of each posting; under its id, if there are several. Before it, what the only one requires."""
    console = Console()
    if required is not None:
        table = Table("no.", "kind", "", "the posting says")
        for number, asked in enumerate(required, 1):
            wanted = "required" if asked.required else "preferred"
            add_row(table, str(number), asked.kind, wanted, asked.text)
        console.print(table, markup=False, highlight=False)
    for job_id, ranked in groupby(results, key=lambda result: result.job_id):
        more = [] if required is None else ["found", "not found"]
        table = Table("rank", "candidate", "probability", "raw score", "decision", "note", *more)
        if job_id is not None:
            console.print(one_line(job_id), style="bold", markup=False, highlight=False)
        for one in ranked:
            add_row(
                table,
                str(one.rank),
                one.candidate.id,
                _in_words(one.match.calibrated_probability),
                f"{one.match.raw_score:.3f}",
                one.decision,
                ", ".join(one.notes),
                *(_numbers(one.requirements, found) for found in (("yes", "no") if more else ())),
            )
        console.print(table, markup=False, highlight=False)


def _numbers(requirements: Sequence[RequirementResult] | None, found: Found) -> str:
    """The numbers of the requirements to which a resume says `found`."""
    return ", ".join(str(n) for n, one in enumerate(requirements or (), 1) if one.found == found)


def _in_words(probability: float) -> str:
    """Three digits, but never a certainty that the model has not."""
    if probability > 0.999:
        return "> 0.999"
    return "< 0.001" if probability < 0.001 else f"{probability:.3f}"
