"""`evenmatch-train counterfactual`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.core.files import write_private
from training.cli.console import exit_codes, say
from training.cli.engine import load_reference


@dataclass(frozen=True, slots=True)
class _Pair:
    job_id: str
    title: str | None
    description: str
    original: str
    counterfactual: str


def counterfactual(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    pairs: Annotated[Path, typer.Option(help="CSV, JSONL or Parquet file: a resume before and after a row.")],
    json: Annotated[Path | None, typer.Option(help="Write the figures as JSON here.")] = None,
    original_column: Annotated[str, typer.Option(help="The resume.")] = "original",
    counterfactual_column: Annotated[str, typer.Option(help="The changed resume.")] = "counterfactual",
    job_column: Annotated[str, typer.Option(help="The job's text.")] = "job",
    title_column: Annotated[str | None, typer.Option(help="The job's title.")] = None,
    redact: Annotated[bool, typer.Option(help="Score as with redaction on.")] = True,
    rounds: Annotated[int, typer.Option(min=0, help="Bootstrap resamples of jobs.")] = 500,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
) -> None:
    """How far scores and decisions move between resumes and their changed versions, for the same job."""
    import numpy as np

    from service.core.bundle import read_bundle
    from service.core.matching import Matcher
    from training.data.example import DataFormatError
    from training.data.tables import columns_of, list_columns, read_tables
    from training.evaluation.shift import evaluate_counterfactual_pairs
    from training.report.plots import value_text

    wanted = [original_column, counterfactual_column, job_column, *([title_column] if title_column else [])]
    with exit_codes():
        rows = [row for part in read_tables(pairs).values() for row in part]
        present = columns_of(rows)
        for column in wanted:
            if column not in present:
                raise DataFormatError(f"{pairs} has no column {column}; {list_columns(present)}")
        for number, row in enumerate(rows, 1):
            for column in wanted[:3]:
                if not str(row.get(column) or "").strip():
                    raise DataFormatError(f"{pairs}: row {number} has no {column}")
        read = read_bundle(bundle)
        loaded = load_reference(read)
        report = evaluate_counterfactual_pairs(
            Matcher(read, loaded.tokenizer),
            loaded,
            [
                _Pair(
                    str(row[job_column]),
                    str(row[title_column]) if title_column and row.get(title_column) else None,
                    *(str(row[column]) for column in (job_column, original_column, counterfactual_column)),
                )
                for row in rows
            ],
            rounds=rounds,
            rng=np.random.default_rng(seed),
            redact=redact,
        )
    table = Table("figure", f"{report.pairs:,} pairs of {report.jobs:,} jobs", box=None, pad_edge=False)
    for name, figure in report.figures.items():
        table.add_row(name, value_text(figure, 4))
    Console(markup=False, highlight=False).print(table)
    if json is not None:
        with exit_codes():
            json.parent.mkdir(parents=True, exist_ok=True)
            write_private(json, report.model_dump_json(indent=2) + "\n")
            say(f"wrote {json}")
