"""`evenmatch-train mine`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from training.cli.console import exit_codes, say, stderr
from training.cli.engine import load_reference

_GUESSED = "By default the one that looks so."


def mine(
    postings: Annotated[Path, typer.Option(help="Table of postings: CSV, JSONL or Parquet.")],
    resumes: Annotated[
        list[Path], typer.Option(help="Table of the pool's resumes, again for each; read as a stream.")
    ],
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle that ranks them.")],
    output: Annotated[Path, typer.Option(help="Write the pairs here, JSON Lines; holds text of resumes.")],
    labelled: Annotated[
        Path | None,
        typer.Option(help="Labelled pairs: they, and near repeats of their matches, are left out."),
    ] = None,
    each: Annotated[int, typer.Option(min=1, help="Resumes of each posting.")] = 8,
    skip: Annotated[
        int, typer.Option(min=0, help="Leave out so many of the hardest first: the likeliest matches.")
    ] = 0,
    resume_column: Annotated[str | None, typer.Option(help=f"Of --resumes, the text. {_GUESSED}")] = None,
    resume_id_column: Annotated[str | None, typer.Option(help=f"Of --resumes. {_GUESSED}")] = None,
    job_column: Annotated[str | None, typer.Option(help=f"Of --postings, the text. {_GUESSED}")] = None,
    title_column: Annotated[str | None, typer.Option(help=f"Of --postings. {_GUESSED}")] = None,
    job_id_column: Annotated[str | None, typer.Option(help=f"Of --postings. {_GUESSED}")] = None,
    family_column: Annotated[
        str | None,
        typer.Option(help="Of --postings: those with the same value look for the same people."),
    ] = None,
    labelled_resume_column: Annotated[str | None, typer.Option(help=f"Of --labelled. {_GUESSED}")] = None,
    labelled_job_column: Annotated[str | None, typer.Option(help=f"Of --labelled. {_GUESSED}")] = None,
    label_column: Annotated[str | None, typer.Option(help=f"Of --labelled. {_GUESSED}")] = None,
    label_cut: Annotated[
        float | None, typer.Option(help="Of --labelled: labels are numbers, from this one on a match.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace pairs that are there.")] = False,
) -> None:
    """Find hard negatives: of a pool of any size, the resumes without a label that score highest."""
    from training.mining.mine import MiningInputs, MiningOptions, manifest_of, mine_pairs
    from training.mining.pool import MiningColumns

    columns = MiningColumns(
        resume=resume_column,
        resume_id=resume_id_column,
        job=job_column,
        title=title_column,
        job_id=job_id_column,
        family=family_column,
        labelled_resume=labelled_resume_column,
        labelled_job=labelled_job_column,
        label=label_column,
        label_cut=label_cut,
    )
    if labelled is None:
        say("note: without --labelled a resume that is known to match is mined like any other")
    with (
        exit_codes(),
        Progress(
            TextColumn("{task.description}"),
            TextColumn("{task.completed:,.0f} resumes"),
            TimeElapsedColumn(),
            console=stderr,
            transient=True,
            disable=not stderr.is_terminal,
        ) as bar,
    ):
        task = bar.add_task("scoring", total=None)
        pairs = mine_pairs(
            bundle,
            MiningInputs(postings, resumes, labelled),
            output,
            columns=columns,
            options=MiningOptions(each=each, skip=skip, overwrite=overwrite),
            load=load_reference,
            say=say,
            progress=lambda done: bar.update(task, completed=done),
        )
        say(f"wrote {output} ({pairs:,} pairs) and {manifest_of(output).name}")
        say(f"warning: {output} holds text of resumes: keep it to yourself")
