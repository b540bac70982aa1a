"""`evenmatch cohort`: build a cohort that scores are normalised by, show it, and report what it changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from service.cli.cohort_build import build
from service.cli.cohort_report import report
from service.cli.console import exit_codes
from service.core.cohort_file import ReadCohort, read_cohort
from service.core.cohort_manifest import CountedTexts, warning_text

cohort = typer.Typer(
    no_args_is_help=True,
    help="Build a cohort that scores are normalised by, show it, and report what it changes.",
)
cohort.command()(build)
cohort.command()(report)


@cohort.command()
def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A cohort's folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print cohort.json, with its digest.")] = False,
) -> None:
    """Verify a cohort and say what it is made of."""
    with exit_codes():
        read = read_cohort(folder)
    if as_json:
        typer.echo(json.dumps({"digest": read.digest, **read.manifest.model_dump(mode="json")}, indent=2))
    else:
        for line in _lines(read):
            typer.echo(line)


def _lines(read: ReadCohort) -> list[str]:
    made = read.manifest
    policy = made.policy
    lines = [
        f"digest     {read.digest}",
        f"created    {made.created:%Y-%m-%d %H:%M} UTC"
        + (f", to be kept until {made.expires:%Y-%m-%d}" if made.expires else ""),
        f"bundle     {made.bundle.name} {made.bundle.version} ({made.bundle.digest})",
        f"resumes    {_counted(made.resumes)}",
        f"postings   {_counted(made.postings)}, {made.titled_postings:,} with a title",
        f"weights    {policy.resume_weight:g} of a resume's level, {policy.posting_weight:g} of a posting's "
        f"(mean of its best {policy.top_resumes})",
        f"agreement  {made.agreement if made.agreement is not None else 'not computable'} (mean correlation "
        "of two postings' scores)",
    ]
    return lines + [f"warning    {warning_text(made, warning)}" for warning in made.warnings]


def _counted(texts: CountedTexts) -> str:
    sources = ", ".join(f"{count:,} of {kind}" for kind, count in sorted(texts.sources.items()))
    return f"{texts.used:,} with {texts.passages:,} passages, out of {sources}"
