"""`evenmatch audit`: what the scores of resumes depend on, by counterfactual variants."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from service.cli.console import (
    EXIT_USAGE,
    BundleOption,
    EncodingOption,
    EngineOption,
    IdColumn,
    JobOption,
    NumberRows,
    ResumesArgument,
    SkipOption,
    SpanOption,
    TextColumn,
    TitleOption,
    add_row,
    document_texts,
    end_skipped,
    exit_codes,
    fail,
    given_by,
    given_in_each,
    running,
    say,
    settings_from,
    stderr,
)
from service.core.counterfactual.variants import Attribute
from service.core.counterfactual_audit.plan import AuditResume, CounterfactualOptions
from service.core.counterfactual_audit.results import CounterfactualReport
from service.core.errors import ErrorCollector
from service.core.group_titles import attribute_title, group_title
from service.core.printable import one_line
from service.files.postings import read_posting
from service.files.result_files import IN_WORDS
from service.files.resume_files import ResumeOptions, read_resumes, readable
from service.files.writing import write_whole
from service.logs import log_to_stderr
from service.reports.counterfactual_audit import (
    CounterfactualSubject,
    counterfactual_audit_html,
    counterfactual_audit_json,
)
from service.runtime.auditing import audit_resumes
from service.settings import Settings


def audit(
    resumes: ResumesArgument,
    job: JobOption,
    title: TitleOption = None,
    attributes: Annotated[str, typer.Option(help="What to change, with commas.")] = ",".join(
        get_args(Attribute)
    ),
    names_per_group: Annotated[int, typer.Option(help="Names drawn of each group, 2 to 20.")] = 5,
    controls: Annotated[int, typer.Option(help="Benign edits of each resume, 2 to 20.")] = 6,
    redact: Annotated[
        bool, typer.Option(help="Score as with redaction on; off as `score --no-redact`, names alone hidden.")
    ] = True,
    seed: Annotated[int, typer.Option(help="The same seed draws the same variants.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report as JSON.")] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", help="Write the report as HTML with plots.")
    ] = None,
    id_column: IdColumn = None,
    text_column: TextColumn = None,
    number_rows: NumberRows = False,
    bundle: BundleOption = None,
    engine: EngineOption = None,
    span: SpanOption = None,
    encoding: EncodingOption = None,
    skip_unreadable: SkipOption = False,
) -> None:
    """Change names, pronouns, schools and more, one at a time, and compare the scores with benign edits.

    Nothing is sent anywhere; reports hold numbers and ids, never text of a resume.
    """
    settings = settings_from(model={"bundle": bundle, "engine": engine})
    log_to_stderr("warning")
    given = given_by(span)
    with exit_codes(), document_texts(settings, encoding) as texts:
        options = CounterfactualOptions(_attributes(attributes), names_per_group, controls, redact, seed)
        options.check()
        archives = settings.archives
        description = read_posting(job, title, texts, archives=archives).text
        errors = ErrorCollector()
        reports = [Path(job), *(file for file in (json_file, html_file) if file is not None)]
        where = ResumeOptions(id_column, text_column, encoding, number_rows, archives, reports)
        files = read_resumes(resumes, where, texts, errors=errors, say=say)
        most = settings.limits.max_text_characters
        documents = readable(files, max_characters=most, errors=errors)
        if not (skip_unreadable and documents):
            errors.raise_any()
        given_in = given_in_each(given, [document.text for _, document in documents])
        audited = [
            AuditResume(file.id, document.text, of_file, file.found)
            for (file, document), of_file in zip(documents, given_in, strict=True)
        ]
        report, subject = asyncio.run(_audit(settings, description, title, audited, options, Path(job).stem))
        if json_file is not None:
            write_whole(json_file, counterfactual_audit_json(report, subject))
            say(f"wrote {json_file}")
        if html_file is not None:
            write_whole(html_file, counterfactual_audit_html(report, subject))
            say(f"wrote {html_file}")
        _print(report)
        for identity, warnings in report.warnings.items():
            say(f"{one_line(identity)}: {', '.join(IN_WORDS[code] for code in warnings)}")
        end_skipped(errors)


def _attributes(given: str) -> tuple[Attribute, ...]:
    known: dict[str, Attribute] = {name: name for name in get_args(Attribute)}
    names = [name.strip() for name in given.split(",") if name.strip()]
    if not set(names) <= set(known):
        fail(f"--attributes takes names out of: {', '.join(known)}", EXIT_USAGE)
    return tuple(known[name] for name in names)


async def _audit(
    settings: Settings,
    description: str,
    title: str | None,
    resumes: list[AuditResume],
    options: CounterfactualOptions,
    job: str,
) -> tuple[CounterfactualReport, CounterfactualSubject]:
    with running(settings) as runtime, stderr.status("making and scoring variants ..."):
        report = (await audit_resumes(runtime, description, title, resumes, options)).report
    manifest = runtime.bundle.manifest
    return report, CounterfactualSubject(
        bundle=manifest.name,
        version=manifest.version,
        digest=runtime.bundle.digest,
        engine=runtime.info.name,
        precision=runtime.info.precision,
        threshold=runtime.bundle.decision.threshold,
        job=job,
        cohort=runtime.cohort_digest,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _print(report: CounterfactualReport) -> None:
    console = Console()
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("changed to", overflow="fold")
    for heading in ("n", "mean gap", "mean |gap|", "flips", "effect", "p (Holm)", "first"):
        table.add_column(heading, justify="right")
    if report.control is not None:
        control = report.control
        table.add_row(
            "control: benign edits", str(control.n), f"{control.mean_gap:+.4f}",
            f"{control.mean_absolute_gap:.4f}", f"{control.flip_rate:.1%}", "", "", "",
        )  # fmt: skip
    for attribute in report.attributes:
        for group in attribute.groups:
            s = group.summary
            add_row(
                table,
                f"{attribute_title(attribute.attribute)}: {group_title(group.group)}",
                str(s.n),
                f"{s.mean_gap:+.4f}",
                f"{s.mean_absolute_gap:.4f}",
                f"{s.flip_rate:.1%}",
                "" if group.effect_size is None else f"{group.effect_size:+.2f}",
                "" if group.adjusted_p_value is None else f"{group.adjusted_p_value:.3g}",
                "" if group.top_share is None else f"{group.top_share:.0%}",
            )
    console.print(table, markup=False, highlight=False)
    for finding in report.findings:
        console.print(one_line(f"- {finding}"), markup=False, highlight=False)
