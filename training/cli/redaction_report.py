"""`evenmatch-train redaction-report`."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from service.core.files import write_private
from training.cli.console import EXIT_USAGE, exit_codes, fail, say, stderr
from training.cli.engine import load_reference

if TYPE_CHECKING:
    from service.core.redaction.redactor import Redactor
    from training.evaluation.redaction.report import Scoring
    from training.evaluation.redaction.schema import RedactionReport

GROUPINGS = ("given_name", "surname", "form")
"""What `names` stands for in --group-by."""


def redaction_report(
    data: Annotated[
        Path, typer.Option(help='JSON Lines of {"id", "text", "spans": [{"label", "start", "end"}]}.')
    ],
    html: Annotated[Path | None, typer.Option(help="Write the report as HTML here.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all figures as JSON here.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(help="LABEL=CATEGORY: spans of this label are to be hidden; again for each."),
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option(help="A label whose words must stay; again for each.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="A label that is neither to be hidden nor to stay.")
    ] = None,
    group_by: Annotated[
        list[str] | None,
        typer.Option(help="Recall by given_name, surname, form, or names for all three; default: names."),
    ] = None,
    half: Annotated[
        Literal["first", "second"] | None,
        typer.Option(help="Only this half of the resumes, by a hash of their ids and the seed."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the halves and the bootstrap.")] = 0,
    minimum: Annotated[int, typer.Option(min=1, help="Names that a group's share must stand on.")] = 30,
    rounds: Annotated[int, typer.Option(min=0, help="Bootstrap resamples of resumes.")] = 500,
    postings: Annotated[
        Path | None,
        typer.Option(help="Compare decisions for these jobs too: CSV, JSONL or Parquet. Needs --bundle."),
    ] = None,
    bundle: Annotated[Path | None, typer.Option(help="Folder of the bundle that decides.")] = None,
    job_column: Annotated[str | None, typer.Option(help="Of --postings; by default found by name.")] = None,
    title_column: Annotated[str | None, typer.Option(help="Of --postings; by default found by name.")] = None,
    most_postings: Annotated[int, typer.Option(min=1, help="Spread evenly over --postings.")] = 50,
    entities: Annotated[
        str | None, typer.Option(help="Measure the rules with this spaCy model beside them.")
    ] = None,
    show_misses: Annotated[
        Path | None,
        typer.Option(help="Write what was left and lost here, as JSON Lines: private text, mode 0600."),
    ] = None,
) -> None:
    """Measure redaction on annotated resumes: what is left, what is lost, and which decisions it changes.

    No text of a resume stands in the HTML or JSON.
    """
    from service.core.redaction.names.ner import EntityFinder
    from service.core.redaction.redactor import Redactor
    from training.evaluation.redaction.annotated import read_annotated
    from training.evaluation.redaction.labels import LabelTable
    from training.evaluation.redaction.report import ReportOptions, redaction_report
    from training.report.redaction import redaction_html

    if (postings is None) != (bundle is None):
        fail("--postings and --bundle belong together", EXIT_USAGE)
    outputs = [path.resolve() for path in (html, json, show_misses) if path is not None]
    inputs = [path.resolve() for path in (data, postings) if path is not None]
    if len({*outputs, *inputs}) < len(outputs) + len(inputs):
        fail("every file needs a name of its own: one would replace another", EXIT_USAGE)
    with exit_codes():
        options = ReportOptions(
            table=LabelTable.with_options(label or (), keep or (), ignore or ()),
            half=half,
            groupings=_groupings(group_by or ["names"]),
            minimum=minimum,
            rounds=rounds,
            seed=seed,
            entities=entities,
        )
        resumes = read_annotated(data)
        redactor = Redactor(entities=None if entities is None else EntityFinder(entities))
        scoring = None
        if postings is not None and bundle is not None:
            scoring = _scoring(bundle, postings, redactor, job_column, title_column, most_postings)
            redactor = scoring.matcher.redactor
        with stderr.status(f"measuring {len(resumes):,} resumes ..."):
            report, misses = redaction_report(
                resumes, redactor, source=data.name, options=options, scoring=scoring
            )
        _print(report)
        for note in report.notes:
            say(f"note: {note}")
        documents = [(html, redaction_html(report)), (json, report.model_dump_json(indent=2) + "\n")]
        if show_misses is not None:
            lines = [json_module.dumps(asdict(miss), ensure_ascii=False) + "\n" for miss in misses]
            documents.append((show_misses, "".join(lines)))
        for path, content in documents:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_private(path, content)
                say(f"wrote {path}")
        if show_misses is not None:
            say(f"warning: {show_misses} holds names and text of {len(misses):,} places: keep it to yourself")


def _groupings(wanted: list[str]) -> tuple[Any, ...]:
    """Each grouping once, `names` standing for all. Wrong usage if there is none of that name."""
    asked = [grouping for name in wanted for grouping in (GROUPINGS if name == "names" else (name,))]
    if not set(asked) <= set(GROUPINGS):
        raise typer.BadParameter(f"--group-by is one of {', '.join(GROUPINGS)}, or names")
    return tuple(dict.fromkeys(asked))


def _scoring(
    bundle: Path,
    postings: Path,
    redactor: Redactor,
    job_column: str | None,
    title_column: str | None,
    most: int,
) -> Scoring:
    from service.core.bundle import read_bundle
    from service.core.matching import Matcher
    from training.evaluation.redaction.decisions import read_postings, spread
    from training.evaluation.redaction.report import Scoring

    jobs = spread(read_postings(postings, job_column, title_column), most)
    source = read_bundle(bundle)
    loaded = load_reference(source)
    own = redactor.with_categories(source.manifest.redaction.categories)
    return Scoring(Matcher(source, loaded.tokenizer, redactor=own, keeps_names=True), loaded, jobs)


def _print(report: RedactionReport) -> None:
    """The headlines on stdout."""
    from training.report.plots import value_text

    table = Table(box=None, pad_edge=False)
    for column in ("figure", "value", "n"):
        table.add_column(column)
    figures = [(f"{c}: spans wholly hidden", of.whole) for c, of in report.recall.items()]
    figures += [(f"{c}: precision", of.share) for c, of in report.precision.items() if of.share is not None]
    figures += [
        ("words lost: skills, tools, titles, employers", report.words_lost.work),
        ("words lost: all that must stay", report.words_lost.share),
    ]
    if report.decisions is not None:
        decided = report.decisions
        figures += [
            ("pairs decided differently than bare", decided.against_bare.figures["pairs_differ"]),
            ("resumes decided differently than bare", decided.against_bare.figures["resumes_differ"]),
            ("pairs, apart from the clues", decided.against_completed_annotation.figures["pairs_differ"]),
            ("resumes, apart from the clues", decided.against_completed_annotation.figures["resumes_differ"]),
        ]
    for name, figure in figures:
        table.add_row(name, value_text(figure, 4), f"{figure.n:,}")
    for grouped in report.groups:
        if grouped.difference is not None:
            table.add_row(f"largest difference by {grouped.grouping}", f"{grouped.difference:.4f}", "")
    table.add_row("ms a resume, median and p95", f"{report.median_ms:.1f}, {report.p95_ms:.1f}", "")
    Console(markup=False, highlight=False).print(table)
