"""`evenmatch cohort report`: what a cohort changes, before it is switched on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from service.cli.cohort_texts import EncodedResume, EncodedTexts, TextOptions, encode_texts
from service.cli.console import (
    EXIT_USAGE,
    BundleOption,
    EncodingOption,
    EngineOption,
    IdColumn,
    NumberRows,
    SkipOption,
    TextColumn,
    add_row,
    document_texts,
    end_skipped,
    exit_codes,
    fail,
    running,
    say,
    settings_from,
)
from service.core.cohort import Cohort
from service.core.cohort_effects import CohortEffects, Decisions, GroupEffect, effects_of
from service.core.cohort_file import ReadCohort, fitted, read_cohort
from service.core.cohort_manifest import warning_text
from service.core.errors import ErrorCollector
from service.core.groups import UNKNOWN
from service.core.matching import Matcher, posting_of
from service.core.printable import one_line
from service.core.tables import Column
from service.core.vectors import Vectors
from service.files.bulk_scoring import ReadPosting
from service.files.further_columns import cells_of_postings, cells_of_resumes
from service.files.text_files import is_table
from service.files.writing import write_whole
from service.logs import log_to_stderr
from service.reports.cohort import (
    CohortSubject,
    PostingEffect,
    cohort_html,
    cohort_json,
    figure_text,
    quartiles_text,
)
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class _Further:
    """Columns beside the texts: of groups, and of labels on both sides."""

    groups: Sequence[str]
    label: str | None
    posting_label: str | None


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The cohort's folder.")],
    resumes: Annotated[
        list[str], typer.Option(help="Resumes to try it on: a table, documents, a folder; may be repeated.")
    ],
    postings: Annotated[str, typer.Option(help="Postings to try it on: a table, a folder or an archive.")],
    groups: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="A column of the resumes' table with groups; may be repeated."),
    ] = None,
    label_column: Annotated[
        str | None,
        typer.Option(help="That with what a resume matches: the posting's id, or what its label column has."),
    ] = None,
    posting_label_column: Annotated[
        str | None, typer.Option(help="Of the postings' table: what a resume's label must be equal to.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all of it as JSON.")] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", help="Write all of it as one HTML file with plots.")
    ] = None,
    id_column: IdColumn = None,
    text_column: TextColumn = None,
    number_rows: NumberRows = False,
    job_id_column: Annotated[str | None, typer.Option(help="A table's column with the posting's id.")] = None,
    job_title_column: Annotated[str | None, typer.Option(help="That with its title.")] = None,
    job_text_column: Annotated[str | None, typer.Option(help="That with its text.")] = None,
    bundle: BundleOption = None,
    engine: EngineOption = None,
    encoding: EncodingOption = None,
    skip_unreadable: SkipOption = False,
) -> None:
    """Score resumes against postings without a cohort and with it, and compare the decisions.

    Every resume is scored against every posting. Prints numbers and ids, no text.
    """
    settings = settings_from(model={"bundle": bundle, "engine": engine}).without_cohort()
    log_to_stderr("warning")
    further = _Further(groups or [], label_column, posting_label_column)
    if posting_label_column is not None and label_column is None:
        fail("--posting-label-column needs --label-column", EXIT_USAGE)
    needs_table = further.groups or label_column is not None
    if needs_table and not (len(resumes) == 1 and is_table(Path(resumes[0]))):
        fail("--groups and --label-column are columns of a table: give --resumes one", EXIT_USAGE)
    if posting_label_column is not None and not is_table(Path(postings)):
        fail("--posting-label-column is a column of a table: give --postings one", EXIT_USAGE)
    options = TextOptions(
        resumes,
        postings,
        id_column,
        text_column,
        number_rows,
        job_id_column,
        job_title_column,
        job_text_column,
        encoding,
    )
    errors = ErrorCollector()
    with exit_codes():
        read = read_cohort(folder)
        for warning in read.manifest.warnings:
            say(f"warning: {warning_text(read.manifest, warning)}")
        found = asyncio.run(_report(settings, options, read, further, errors, skip=skip_unreadable))
        if json_file is not None:
            write_whole(json_file, cohort_json(*found))
            say(f"wrote {json_file}")
        if html_file is not None:
            write_whole(html_file, cohort_html(*found))
            say(f"wrote {html_file}")
        end_skipped(errors)


async def _report(
    settings: Settings,
    options: TextOptions,
    read: ReadCohort,
    further: _Further,
    errors: ErrorCollector,
    *,
    skip: bool,
) -> tuple[CohortSubject, CohortEffects, list[PostingEffect]]:
    with running(settings) as runtime, document_texts(settings, options.encoding) as texts:
        entities = settings.redaction.entities
        categories = runtime.matcher.redactor.categories
        fitting = fitted(read, runtime.bundle, categories=categories, entities=entities)
        # Looked for before hours of scoring.
        of_resumes, labels = _of_resumes(options, further)
        of_postings = _of_postings(options, further)
        encoded = await encode_texts(runtime, settings, options, texts, errors=errors, skip=skip)
        compared = await asyncio.to_thread(_compare, runtime.matcher, fitting.cohort, encoded)
    before, after, covered = compared
    effects = effects_of(
        before,
        after,
        uncovered=sum(not one for one in covered),
        groups={
            name: [of_resumes[one.id][place] or UNKNOWN for one in encoded.resumes]
            for place, name in enumerate(further.groups)
        },
        labels=None
        if further.label is None
        else _labels(encoded.postings, encoded.resumes, labels, of_postings),
    )
    _print(effects)
    manifest = runtime.bundle.manifest
    subject = CohortSubject(
        cohort=read.digest,
        bundle=manifest.name,
        version=manifest.version,
        digest=runtime.bundle.digest,
        threshold=runtime.bundle.decision.threshold,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        warnings=[warning_text(read.manifest, warning) for warning in read.manifest.warnings],
    )
    postings = [
        PostingEffect(one.posting.id or one.posting.source, is_covered, int(was.sum()), int(now.sum()))
        for one, is_covered, was, now in zip(encoded.postings, covered, before, after, strict=True)
    ]
    return subject, effects, postings


def _compare(
    matcher: Matcher, cohort: Cohort, encoded: EncodedTexts
) -> tuple[Decisions, Decisions, list[bool]]:
    """Decisions without the cohort and with it, (postings, resumes), and which postings it covers."""
    jobs = [(one.job, one.vectors) for one in encoded.postings]
    vectors: list[Vectors] = [one.vectors for one in encoded.resumes]
    raw = matcher.similarities(jobs, vectors)
    parts = [posting_of(job, of_job) for job, of_job in jobs]
    normalised = cohort.normalised(raw, parts, vectors)
    before, after = (
        np.array(
            [
                [matcher.decide(float(score), job).selected for score in row]
                for row, (job, _) in zip(scores, jobs, strict=True)
            ],
            dtype=bool,
        ).reshape(raw.shape)
        for scores in (raw, normalised)
    )
    return before, after, [cohort.posting(part).covered for part in parts]


def _of_resumes(options: TextOptions, further: _Further) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Groups, and the label, of each resume by its id."""
    if not further.groups and further.label is None:
        return {}, {}
    columns = [Column(name, "--groups") for name in further.groups]
    if further.label is not None:
        columns.append(Column(further.label, "--label-column"))
    cells = cells_of_resumes(
        Path(options.resumes[0]),
        columns,
        id_column=options.id_column,
        number_rows=options.number_rows,
        encoding=options.encoding,
    )
    return cells, {} if further.label is None else {name: row[-1] for name, row in cells.items()}


def _of_postings(options: TextOptions, further: _Further) -> dict[str, str] | None:
    """The label of each posting by its id; None if that is its id."""
    if further.posting_label is None:
        return None
    columns = [Column(further.posting_label, "--posting-label-column")]
    cells = cells_of_postings(
        Path(options.postings), columns, id_column=options.job_id_column, encoding=options.encoding
    )
    return {name: row[0] for name, row in cells.items()}


def _labels(
    postings: Sequence[ReadPosting],
    resumes: Sequence[EncodedResume],
    of_resumes: Mapping[str, str],
    of_postings: Mapping[str, str] | None,
) -> Decisions:
    names = [one.posting.id or "" for one in postings]
    wanted = np.array(names if of_postings is None else [of_postings[name] for name in names])
    given = np.array([of_resumes[one.id] for one in resumes])
    found: Decisions = (wanted[:, None] == given[None, :]) & (given != "")[None, :]
    return found


def _print(effects: CohortEffects) -> None:
    console = Console()
    sides = (effects.before, effects.after)
    table = Table("", "without", "with the cohort", box=SIMPLE_HEAD, pad_edge=False)
    share = [one.selected / effects.pairs if effects.pairs else 0.0 for one in sides]
    add_row(
        table,
        "pairs selected",
        *(f"{one.selected:,} of {effects.pairs:,} ({s:.1%})" for one, s in zip(sides, share, strict=True)),
    )
    add_row(
        table, "postings with nobody selected", *(f"{one.empty:,} of {effects.postings:,}" for one in sides)
    )
    if effects.labelled:
        add_row(table, "precision", *(_number(one.precision) for one in sides))
        add_row(table, "recall", *(_number(one.recall) for one in sides))
        add_row(table, "recall by posting, quartiles", *map(quartiles_text, sides))
    console.print(table)
    say(
        f"{effects.flips_up:,} decisions become selected, {effects.flips_down:,} no longer are; "
        f"{effects.postings - effects.uncovered:,} of {effects.postings:,} postings are covered"
    )
    for attribute, groups in effects.groups.items():
        _print_groups(console, attribute, groups)
    if effects.groups:
        say("rates are of pairs: with several postings their intervals are too narrow")


def _print_groups(console: Console, attribute: str, groups: Sequence[GroupEffect]) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(one_line(attribute), overflow="fold")
    for heading in ("pairs", "rate without", "with", "impact ratio without", "with"):
        table.add_column(heading, justify="right")
    for one in groups:
        add_row(
            table,
            one.group,
            f"{one.pairs:,}",
            figure_text(one.rate_before),
            figure_text(one.rate_after),
            figure_text(one.ratio_before),
            figure_text(one.ratio_after),
        )
    console.print(table)


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"
