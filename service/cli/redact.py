"""`evenmatch redact`: resumes as the model would read them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.console import (
    EXIT_USAGE,
    BundleOption,
    EncodingOption,
    IdColumn,
    NumberRows,
    ResumesArgument,
    SkipOption,
    SpanOption,
    TextColumn,
    document_texts,
    end_skipped,
    exit_codes,
    fail,
    given_by,
    given_in_each,
    say,
    settings_from,
)
from service.core.bundle import read_bundle
from service.core.errors import ErrorCollector
from service.core.language import language_of, warnings_of_language
from service.core.printable import one_line
from service.core.redaction.given import places_of
from service.core.redaction.names.ner import EntityFinder
from service.core.redaction.policy import CATEGORIES, Category
from service.core.redaction.redactor import Redactor
from service.core.resume_warnings import findings_of
from service.files.redacted_files import RedactedResume, check_targets, write_redacted
from service.files.result_files import IN_WORDS
from service.files.resume_files import ResumeOptions, read_resumes, readable
from service.logs import log_to_stderr


def redact(
    resumes: ResumesArgument,
    output: Annotated[
        Path | None, typer.Option(help="Write to a .jsonl, .csv or .parquet file, or a folder of .txt files.")
    ] = None,
    categories: Annotated[
        str | None, typer.Option(help="What to hide, with commas; without it what the service hides.")
    ] = None,
    id_column: IdColumn = None,
    text_column: TextColumn = None,
    number_rows: NumberRows = False,
    bundle: BundleOption = None,
    span: SpanOption = None,
    encoding: EncodingOption = None,
    skip_unreadable: SkipOption = False,
) -> None:
    """Print or write resumes without names, contact data, schools and other clues to the person.

    Counts of what was hidden go to standard error. Needs no model.
    """
    settings = settings_from(model={"bundle": bundle})
    log_to_stderr("warning")
    given = given_by(span)
    with exit_codes(), document_texts(settings, encoding) as texts:
        chosen = _chosen(categories) or settings.redaction.categories
        if chosen is None:
            chosen = read_bundle(settings.model.bundle_path).manifest.redaction.categories
        entities = EntityFinder(settings.redaction.entities) if settings.redaction.entities else None
        redactor = Redactor(chosen, entities=entities)
        errors = ErrorCollector()
        no_resumes = [] if output is None else [output]
        options = ResumeOptions(id_column, text_column, encoding, number_rows, settings.archives, no_resumes)
        files = read_resumes(resumes, options, texts, errors=errors, say=say)
        most = settings.limits.max_text_characters
        documents = readable(files, max_characters=most, errors=errors)
        given_in = given_in_each(given, [document.text for _, document in documents])
        redacted: list[RedactedResume] = []
        languages: list[str] = []
        for (file, document), of_file in zip(documents, given_in, strict=True):
            with errors:
                places = places_of(document.text, of_file)
                one = redactor.redact(document.text, field=file.source, given=places)
                languages.append(language_of(document.text))
                warnings = (
                    *warnings_of_language(languages[-1], document.non_latin_script),
                    *findings_of(file.text, document.text, one if "name" in chosen else None)
                    .with_more(file.found)
                    .warnings,
                )
                redacted.append(RedactedResume(file.id, one, warnings, file.document))
        if not (skip_unreadable and redacted):
            errors.raise_any()
        if output is not None:
            inputs = [Path(one.source) for one in files if one.document is not None]
            check_targets([one.id for one in redacted], output, [*inputs, *map(Path, resumes)])
            write_redacted(redacted, output)
        for resume, language in zip(redacted, languages, strict=True):
            if output is None:
                text = resume.redacted.text
                typer.echo(text if len(redacted) == 1 else f"==> {one_line(resume.id)} <==\n{text}\n")
            say(f"{one_line(resume.id)}: {_said(resume, language)}")
        end_skipped(errors)


def _chosen(categories: str | None) -> tuple[Category, ...] | None:
    if categories is None:
        return None
    names = [name.strip() for name in categories.split(",") if name.strip()]
    if not names or not set(names) <= set(CATEGORIES):
        fail(f"--categories takes names out of: {', '.join(CATEGORIES)}", EXIT_USAGE)
    return tuple(category for category in CATEGORIES if category in names)


def _said(resume: RedactedResume, language: str) -> str:
    counts = ", ".join(f"{count} {category}" for category, count in resume.redacted.counts.items())
    notes = [
        f"language {language}: the rules are made for English, check by eye"
        if code == "not_english"
        else IN_WORDS[code]
        for code in resume.warnings
    ]
    if resume.document is not None:
        notes += resume.document.notes
    return "; ".join([counts or "nothing hidden", *notes])
