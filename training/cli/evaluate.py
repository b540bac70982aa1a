"""`evenmatch-train evaluate`."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from service.core.files import write_private
from service.core.group_labels import values_given
from training.cli.columns import GroupValues
from training.cli.console import EXIT_USAGE, exit_codes, fail, say, stderr
from training.cli.engine import load_reference

if TYPE_CHECKING:
    from training.evaluation.external.evaluate import Outcome
    from training.evaluation.external.given_documents import ExternalColumns
    from training.evaluation.external.given_table import Findings
    from training.evaluation.external.labelled_set import LabelledSet

_GUESSED = "By default the one that looks so."


def evaluate(
    bundles: Annotated[
        list[Path], typer.Argument(help="Folders of bundles; the others are set against the first.")
    ],
    data: Annotated[
        Path | None, typer.Option(help="Labelled pairs: CSV, JSONL, Parquet or `save_to_disk`.")
    ] = None,
    resumes: Annotated[
        Path | None, typer.Option(help="Instead of --data: resumes with a category. Needs --postings.")
    ] = None,
    postings: Annotated[
        Path | None, typer.Option(help="Postings with categories, several parted by `;`. Needs --resumes.")
    ] = None,
    category_map: Annotated[
        Path | None,
        typer.Option("--map", help="Columns `resume` and `posting`: which categories are the same."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as HTML here.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all figures as JSON here.")] = None,
    resume_column: Annotated[str | None, typer.Option(help=f"The resume's text. {_GUESSED}")] = None,
    job_column: Annotated[str | None, typer.Option(help=f"The posting's text. {_GUESSED}")] = None,
    label_column: Annotated[str | None, typer.Option(help=f"Of --data: the label. {_GUESSED}")] = None,
    label_cut: Annotated[
        float | None, typer.Option(help="Of --data: labels are numbers, from this one on a match.")
    ] = None,
    title_column: Annotated[
        str | None, typer.Option(help="The posting's title; of --postings by default found.")
    ] = None,
    resume_id_column: Annotated[str | None, typer.Option(help=f"Tells resumes apart. {_GUESSED}")] = None,
    job_id_column: Annotated[str | None, typer.Option(help=f"Tells postings apart. {_GUESSED}")] = None,
    category_column: Annotated[
        str | None, typer.Option(help="Of --resumes and --postings; of --data, the posting's.")
    ] = None,
    resume_category: Annotated[str | None, typer.Option(help="Of --resumes, if it is another.")] = None,
    posting_category: Annotated[str | None, typer.Option(help="Of --postings, if it is another.")] = None,
    group_column: Annotated[
        list[str] | None,
        typer.Option(
            help="An attribute's column, again for each; by default what looks like sex or race, if any."
        ),
    ] = None,
    group_value: GroupValues = None,
    redact: Annotated[bool, typer.Option(help="Score as the bundle's policy redacts.")] = True,
    baselines: Annotated[bool, typer.Option(help="Score TF-IDF, BM25 and the base model, too.")] = True,
    repeats: Annotated[
        Literal["keep", "drop"], typer.Option(help="Resumes with the text of another: drop counts each once.")
    ] = "keep",
    trained_on: Annotated[
        Path | None,
        typer.Option(help="Training data of the bundle: say which of these texts stand in it."),
    ] = None,
    precision: Annotated[
        float, typer.Option(help="Show what one threshold does that reaches this precision.")
    ] = 0.75,
    errors: Annotated[
        int, typer.Option(min=0, help="Worst missed matches, and worst false ones, to list.")
    ] = 30,
    show_text: Annotated[
        Path | None,
        typer.Option(help="Write the listed errors with excerpts here, JSON Lines: private text, mode 0600."),
    ] = None,
    minimum: Annotated[int, typer.Option(min=1, help="Pairs that a group's rate must stand on.")] = 30,
    rounds: Annotated[int, typer.Option(min=0, help="Bootstrap resamples.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
) -> None:
    """Measure bundles on resumes and postings from elsewhere, beside TF-IDF, BM25 and the plain base model.

    What is wrong with the data is said before anything is encoded. No text stands in the HTML or JSON.
    """
    from training.evaluation.external.evaluate import ExternalOptions, evaluate_external
    from training.evaluation.external.given_documents import ExternalColumns
    from training.evaluation.external.given_table import Findings
    from training.evaluation.external.plain_base import load_plain_base
    from training.report.external import external_html
    from training.report.external_terminal import external_tables

    if (data is None) == (resumes is None and postings is None) or (resumes is None) != (postings is None):
        fail("give --data, or --resumes and --postings", EXIT_USAGE)
    if category_map is not None and data is not None:
        fail("--map goes with --resumes and --postings", EXIT_USAGE)
    inputs = [path.resolve() for path in (data, resumes, postings, category_map) if path is not None]
    outputs = [path.resolve() for path in (html, json, show_text) if path is not None]
    if len({*outputs}) < len(outputs) or {*inputs} & {*outputs}:
        fail("every file needs a name of its own: one would replace another", EXIT_USAGE)
    values = values_given(group_value or ())
    if values is None:
        raise typer.BadParameter("--group-value takes ATTRIBUTE.LABEL=GROUP, as sex.W=female")
    columns = ExternalColumns(
        resume=resume_column,
        job=job_column,
        label=label_column,
        title=title_column,
        resume_id=resume_id_column,
        job_id=job_id_column,
        category=category_column,
        resume_category=resume_category,
        posting_category=posting_category,
        groups=None if group_column is None else {name: name for name in group_column},
        group_values=values,
        label_cut=label_cut,
    )
    with exit_codes():
        options = ExternalOptions(
            redact=redact,
            rounds=rounds,
            seed=seed,
            precision=precision,
            errors=errors,
            minimum=minimum,
            drop_repeats=repeats == "drop",
            baselines=baselines,
            trained_on=trained_on,
        )
        findings = Findings()
        given = _read(data, resumes, postings, category_map, columns, findings)
        with _progress() as progress:
            outcome = evaluate_external(
                bundles,
                given,
                findings,
                sources=(str(data or resumes), str(data or postings)),
                load=load_reference,
                load_base=load_plain_base,
                options=options,
                say=lambda note: say(f"note: {note}"),
                progress=progress,
            )
        console = Console(markup=False, highlight=False)
        for table in external_tables(outcome.evaluation):
            console.print(table)
            console.print()
        documents = [
            (html, external_html(outcome.evaluation) if html is not None else ""),
            (json, outcome.evaluation.model_dump_json(indent=2) + "\n"),
            (show_text, _with_text(outcome)),
        ]
        for path, content in documents:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_private(path, content)
                say(f"wrote {path}")
        if show_text is not None:
            say(f"warning: {show_text} holds text of resumes: keep it to yourself")


def _read(
    data: Path | None,
    resumes: Path | None,
    postings: Path | None,
    category_map: Path | None,
    columns: ExternalColumns,
    findings: Findings,
) -> LabelledSet:
    from training.evaluation.external.categories import read_map
    from training.evaluation.external.given_table import GivenTable
    from training.evaluation.external.pair_reading import read_labelled_pairs
    from training.evaluation.external.pool_reading import read_pool

    if data is not None:
        return read_labelled_pairs(GivenTable.of_file(data, findings), columns, findings)
    assert resumes is not None
    assert postings is not None
    mapped = None if category_map is None else read_map(category_map, findings)
    of_resumes, of_postings = (GivenTable.of_file(path, findings) for path in (resumes, postings))
    return read_pool(of_resumes, of_postings, columns, mapped, findings)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each thing that is done, on stderr; nothing where that is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bars:
        known: dict[str, int] = {}

        def tell(doing: str, done: int, total: int) -> None:
            if doing not in known:
                known[doing] = int(bars.add_task(doing, total=total))
            bars.update(known[doing], completed=done)  # type: ignore[arg-type]

        yield tell


def _with_text(outcome: Outcome) -> str:
    """A line for each listed error of the first bundle, with the beginnings of its texts."""
    from training.evaluation.external.details import errors_with_text

    return "".join(
        json_module.dumps(line, ensure_ascii=False) + "\n"
        for line in errors_with_text(outcome.evaluation.systems[0].errors, outcome.data)
    )
