"""`evenmatch explain`: which words of a resume carry its score."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from service.cli.console import (
    BundleOption,
    EncodingOption,
    IdColumn,
    JobOption,
    NumberRows,
    TextColumn,
    TitleOption,
    add_row,
    document_texts,
    exit_codes,
    say,
    settings_from,
    stderr,
)
from service.core.bundle import read_bundle
from service.core.errors import CountError, TableError
from service.core.printable import one_line
from service.core.redaction.names.ner import EntityFinder
from service.core.redaction.redactor import Redactor
from service.core.word_attribution import MOST_PASSAGES, MOST_STEPS, WordAttributor, WordExplanation
from service.files.postings import read_posting
from service.files.resume_files import ResumeOptions, read_resumes
from service.files.writing import write_whole
from service.logs import log_to_stderr


def explain(
    resume: Annotated[str, typer.Argument(help="The resume, a document of any kind, or a table.")],
    job: JobOption,
    title: TitleOption = None,
    candidate: Annotated[
        str | None, typer.Option(help="The candidate's id, if there are several resumes.")
    ] = None,
    passages: Annotated[
        int,
        typer.Option(
            min=1,
            max=MOST_PASSAGES,
            help="Passages looked into: those without which the score would change most.",
        ),
    ] = 3,
    steps: Annotated[
        int, typer.Option(min=1, max=MOST_STEPS, help="Points at which gradients are taken: time, precision.")
    ] = 32,
    words: Annotated[int, typer.Option(min=1, help="Words to print.")] = 15,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all of it as JSON.")] = None,
    id_column: IdColumn = None,
    text_column: TextColumn = None,
    number_rows: NumberRows = False,
    bundle: BundleOption = None,
    encoding: EncodingOption = None,
) -> None:
    """Say which words of a resume raise and lower its score against a job.

    Words are those of the redacted text. Needs torch, and some seconds of a CPU.
    """
    settings = settings_from(model={"bundle": bundle})
    log_to_stderr("warning")
    with exit_codes(), document_texts(settings, encoding) as texts:
        archives = settings.archives
        description = read_posting(job, title, texts, archives=archives).text
        inputs = [file for file in (Path(job), json_file) if file is not None]
        where = ResumeOptions(id_column, text_column, encoding, number_rows, archives, inputs)
        resumes = read_resumes([resume], where, texts, say=say)
        if candidate is not None:
            resumes = [one for one in resumes if one.id == candidate]
            if not resumes:
                raise TableError(f"{resume} has no candidate {one_line(candidate)}")
        if len(resumes) != 1:
            raise CountError(
                f"{resume} holds {len(resumes):,} resumes, and one is explained: choose it by --candidate",
                limit=1,
                actual=len(resumes),
            )
        options = settings.redaction
        loaded = read_bundle(settings.model.bundle_path)
        redactor = Redactor(
            loaded.manifest.redaction.categories if options.categories is None else options.categories,
            entities=EntityFinder(options.entities) if options.entities else None,
        )
        with stderr.status("loading the model and following the path ..."):
            attributor = WordAttributor(loaded, base_model=settings.model.base_model, redactor=redactor)
            found = attributor.explain(
                description, resumes[0].text, title=title, passages=passages, steps=steps
            )
        if json_file is not None:
            write_whole(json_file, json.dumps(asdict(found), ensure_ascii=False, indent=2) + "\n")
            say(f"wrote {json_file}")
        _print(found, words)


def _print(found: WordExplanation, most: int) -> None:
    console = Console()
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("word", overflow="fold")
    for heading in ("adds", "passage", "characters"):
        table.add_column(heading, justify="right")
    table.add_column("nearest in the job", overflow="fold")
    passage_of = {word.start: passage for passage in found.passages for word in passage.words}
    for word in sorted(found.words, key=lambda one: -abs(one.contribution))[:most]:
        passage = passage_of[word.start]
        add_row(
            table,
            word.text,
            f"{word.contribution:+.4f}",
            str(passage.index + 1),
            f"{word.start}-{word.end}",
            passage.job_text,
        )
    console.print(table)
    hidden = [word for word in found.words if word.hidden is not None]
    say(
        f"raw_score {found.raw_score:.4f}; with the words of {len(found.passages)} passages masked "
        f"{found.baseline_score:.4f}; the words add up to the difference but for {found.residual:+.4f}"
    )
    if hidden:
        total = sum(word.contribution for word in hidden)
        say(f"{len(hidden)} of these words stand for something hidden; together they add {total:+.4f}")
