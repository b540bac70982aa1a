"""`evenmatch-train`: make the bundles that the service loads.

Exit codes: 0 done, 1 it could not be done (the message says why), 2 wrong usage.
"""

from __future__ import annotations

import typer

from training.cli.adapt import adapt
from training.cli.base_bundle import base_bundle
from training.cli.compare import compare
from training.cli.counterfactual import counterfactual
from training.cli.evaluate import evaluate
from training.cli.explore import explore_data
from training.cli.mine import mine
from training.cli.publish import export, import_bundle
from training.cli.redaction_report import redaction_report
from training.cli.run import ablate, choose, remeasure, run

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_show_locals=False)
app.command("ablate")(ablate)
app.command("adapt")(adapt)
app.command("base-bundle")(base_bundle)
app.command("choose")(choose)
app.command("compare")(compare)
app.command("counterfactual")(counterfactual)
app.command("evaluate")(evaluate)
app.command("explore")(explore_data)
app.command("export")(export)
app.command("import")(import_bundle)
app.command("mine")(mine)
app.command("redaction-report")(redaction_report)
app.command("remeasure")(remeasure)
app.command("run")(run)


@app.callback()
def _evenmatch_train() -> None:
    """Make the bundles that the service loads."""


def main() -> None:
    """Entry point of `evenmatch-train`."""
    app()
