"""`evenmatch`: serve the API and back it up, or score, explain, redact, audit and report on files without it.

Exit codes: 0 done; 1 the bundle, base model, engine or decision log cannot be used, or the run broke off;
2 wrong usage; 3 an input file or text is unusable (then nothing is written); 4 the decision log's chain is
broken; 5 done, but for what `--skip-unreadable` left out.
"""

from __future__ import annotations

from importlib import metadata
from typing import Annotated

import typer

from service.cli.audit import audit
from service.cli.backup import backup, restore
from service.cli.calibrate import calibrate
from service.cli.cohort import cohort
from service.cli.convert import convert
from service.cli.data import data
from service.cli.explain import explain
from service.cli.keys import keys
from service.cli.log import log
from service.cli.redact import redact
from service.cli.report import report
from service.cli.score import score
from service.cli.serve import serve
from service.cli.tenants import tenants
from service.runtime.worker_process import forbid_core_dumps

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"evenmatch {metadata.version('evenmatch')}")
        raise typer.Exit


@app.callback()
def _evenmatch(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version and exit."),
    ] = False,
) -> None:
    """Score how well resumes match a job, and check what the scores depend on."""


for command in (serve, score, explain, redact, audit, report, calibrate, convert, backup, restore):
    app.command()(command)
app.add_typer(cohort, name="cohort")
app.add_typer(keys, name="keys")
app.add_typer(data, name="data")
app.add_typer(log, name="log")
app.add_typer(tenants, name="tenants")


def main() -> None:
    """Entry point of `evenmatch`."""
    forbid_core_dumps()
    app()
