"""`evenmatch redact`: resumes as the model would read them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.console import (
    EXIT_USAGE,
    BundleOption,
    IdColumn,
    ResumesArgument,
    TextColumn,
    exit_codes,
    fail,
    say,
    settings_from,
)
from service.core.bundle import read_bundle
from service.core.documents import read_document
from service.core.language import is_foreign, language_of
from service.core.printable import one_line
from service.core.redaction.names.ner import EntityFinder
from service.core.redaction.policy import CATEGORIES, Category
from service.core.redaction.redactor import Redacted, Redactor
from service.files.resume_files import read_resumes, write_redacted
from service.logs import log_to_stderr


def redact(
    resumes: ResumesArgument,
    output: Annotated[
        Path | None, typer.Option(help="Write to a .jsonl or .csv file, or into a folder as .txt files.")
    ] = None,
    categories: Annotated[
        str | None, typer.Option(help="What to hide, with commas; without it what the service hides.")
    ] = None,
    id_column: IdColumn = "id",
    text_column: TextColumn = "resume",
    bundle: BundleOption = None,
) -> None:
    """Print or write resumes without names, contact data, schools and other clues to the person.

    Counts of what was hidden go to standard error. Needs no model.
    """
    settings = settings_from(model={"bundle": bundle})
    log_to_stderr("warning")
    with exit_codes():
        chosen = _chosen(categories) or settings.redaction.categories
        if chosen is None:
            chosen = read_bundle(settings.model.bundle_path).manifest.redaction.categories
        entities = EntityFinder(settings.redaction.entities) if settings.redaction.entities else None
        redactor = Redactor(chosen, entities=entities)
        files = read_resumes(resumes, id_column=id_column, text_column=text_column)
        documents = [
            read_document(file.text, field=file.source, max_characters=settings.limits.max_text_characters)
            for file in files
        ]
        redacted = [
            redactor.redact(document.text, field=file.source)
            for file, document in zip(files, documents, strict=True)
        ]
        if output is not None:
            write_redacted([file.id for file in files], redacted, output)
        for file, document, one in zip(files, documents, redacted, strict=True):
            if output is None:
                typer.echo(one.text if len(files) == 1 else f"==> {one_line(file.id)} <==\n{one.text}\n")
            say(f"{one_line(file.id)}: {_said(one, document.text)}")


def _chosen(categories: str | None) -> tuple[Category, ...] | None:
    if categories is None:
        return None
    names = [name.strip() for name in categories.split(",") if name.strip()]
    if not names or not set(names) <= set(CATEGORIES):
        fail(f"--categories takes names out of: {', '.join(CATEGORIES)}", EXIT_USAGE)
    return tuple(category for category in CATEGORIES if category in names)


def _said(redacted: Redacted, original: str) -> str:
    counts = ", ".join(f"{count} {category}" for category, count in redacted.counts.items())
    notes = [] if redacted.has_own_name else ["no name found"]
    language = language_of(original)
    if is_foreign(language):
        notes.append(f"language {language}: the rules are made for English, check by eye")
    return "; ".join([counts or "nothing hidden", *notes])
