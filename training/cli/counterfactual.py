"""`evenmatch-train counterfactual`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.core.files import write_private
from training.cli.console import EXIT_USAGE, exit_codes, fail, say, stderr
from training.cli.engine import load_reference

_GUESSED = "by default `{}`, or the column that looks so."


def counterfactual(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    pairs: Annotated[Path, typer.Option(help="CSV, JSONL or Parquet file: a resume before and after a row.")],
    json: Annotated[Path | None, typer.Option(help="Write the figures as JSON here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report with plots as HTML here.")] = None,
    original_column: Annotated[
        str | None, typer.Option(help=f"The resume; {_GUESSED.format('original')}")
    ] = None,
    counterfactual_column: Annotated[
        str | None, typer.Option(help=f"The changed resume; {_GUESSED.format('counterfactual')}")
    ] = None,
    job_column: Annotated[str | None, typer.Option(help=f"The job's text; {_GUESSED.format('job')}")] = None,
    title_column: Annotated[str | None, typer.Option(help="The job's title.")] = None,
    redact: Annotated[bool, typer.Option(help="Score as with redaction on.")] = True,
    rounds: Annotated[int, typer.Option(min=0, help="Bootstrap resamples of jobs.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
) -> None:
    """How far scores and decisions move between resumes and their changed versions, for the same job.

    No text stands in the JSON or HTML.
    """
    from service.core.bundle import read_bundle
    from training.data.tables import read_tables
    from training.evaluation.given_pairs import PairColumns, measure_pairs, read_pairs
    from training.report.counterfactual_pairs import counterfactual_pairs_html
    from training.report.plots import value_text

    files = [path.resolve() for path in (pairs, json, html) if path is not None]
    if len(set(files)) < len(files):
        fail("every file needs a name of its own: one would replace another", EXIT_USAGE)
    with exit_codes():
        columns = PairColumns(original_column, counterfactual_column, job_column, title_column)
        given = read_pairs([row for part in read_tables(pairs).values() for row in part], str(pairs), columns)
        for note in given.notes:
            say(f"note: {note}")
        read = read_bundle(bundle)
        with stderr.status(f"scoring {len(given.pairs):,} pairs ..."):
            report = measure_pairs(read, load_reference(read), given, rounds=rounds, seed=seed, redact=redact)
    table = Table("figure", f"{report.pairs:,} pairs of {report.jobs:,} jobs", box=None, pad_edge=False)
    for name, figure in report.figures.items():
        table.add_row(name, value_text(figure, 4))
    Console(markup=False, highlight=False).print(table)
    with exit_codes():
        for path, content in (
            (json, report.model_dump_json(indent=2) + "\n"),
            (html, counterfactual_pairs_html(report)),
        ):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_private(path, content)
                say(f"wrote {path}")
