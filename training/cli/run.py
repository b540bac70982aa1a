"""`evenmatch-train run`, `choose`, `remeasure`, `ablate`: a run, what comes after it again, and many runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from training.cli.console import exit_codes, say, stderr
from training.cli.processes import start_processes

if TYPE_CHECKING:
    from service.core.bundle import Bundle
    from training.config import RunConfig


def run(
    config: Annotated[Path, typer.Option(help="YAML file; see training/configs.")],
    output: Annotated[Path, typer.Option(help="Folder to write the bundle to.")],
    work: Annotated[
        Path | None, typer.Option(help="Folder for checkpoints; by default beside the output.")
    ] = None,
    resume: Annotated[
        bool, typer.Option(help="Go on from the last checkpoint in the work folder, to the same result.")
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing bundle.")] = False,
    quiet: Annotated[bool, typer.Option(help="No progress bar.")] = False,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1, help="Train in so many processes on this machine, each on a GPU or all on its CPU."
        ),
    ] = None,
) -> None:
    """Train an adapter, erase, calibrate, choose the threshold, evaluate, and write the bundle."""
    from training.config import read_run_config

    with exit_codes():
        wanted = read_run_config(config)  # what is wrong with it is said once, not by every process
        start_processes(processes)
        run_and_report(
            wanted,
            output,
            work or Path(f"{output.resolve()}.work"),  # also beside "."
            resume=resume,
            overwrite=overwrite,
            quiet=quiet,
        )


def choose(
    work: Annotated[Path, typer.Option(help="Work folder of a run that has trained to its end.")],
    output: Annotated[Path, typer.Option(help="Folder to write the bundle to.")],
    final: Annotated[
        str | None,
        typer.Option(
            help="best, best_utility, best_fairness, window_best or epoch=5; default: as in the run."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing bundle.")] = False,
) -> None:
    """Make a bundle of another epoch that a run kept, without training again."""
    from service.core.encoder import silence_transformers
    from training.pipeline.run import RunOptions, choose_again

    silence_transformers()
    with exit_codes():
        _report(choose_again(work, output, final, RunOptions(work, overwrite=overwrite, say=say)))


def remeasure(
    bundle: Annotated[Path, typer.Argument(help="Bundle whose adapter and concept eraser are taken.")],
    config: Annotated[Path, typer.Option(help="YAML file that says all the rest, as for `run`.")],
    output: Annotated[Path, typer.Option(help="Folder to write the new bundle to.")],
    work: Annotated[
        Path | None, typer.Option(help="Folder for candidates; by default beside the output.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing bundle.")] = False,
) -> None:
    """Make a bundle of another one's encoder under another matching policy, calibration or threshold."""
    from service.core.bundle import read_bundle
    from service.core.encoder import silence_transformers
    from training.config import read_run_config
    from training.pipeline.run import RunOptions, measure_again

    silence_transformers()
    with exit_codes():
        options = RunOptions(work or Path(f"{output.resolve()}.work"), overwrite=overwrite, say=say)
        _report(measure_again(read_bundle(bundle), read_run_config(config), output, options))


def ablate(
    config: Annotated[Path, typer.Option(help="YAML file; see training/configs/ablations.yaml.")],
    work: Annotated[Path, typer.Option(help="Folder for the runs; finished ones in it are not run again.")],
    output: Annotated[Path, typer.Option(help="Write the table here, as Markdown.")],
    plot: Annotated[
        Path | None, typer.Option(help="Draw PR-AUC against the gap on biased data here, as SVG.")
    ] = None,
    quiet: Annotated[bool, typer.Option(help="No progress bars.")] = False,
) -> None:
    """Run the recipe with parts left out or added, under several seeds, and compare."""
    from service.core.encoder import silence_transformers
    from training.research.ablation import frontier, run_ablation, table

    silence_transformers()
    with exit_codes():
        arms = run_ablation(config, work, quiet=quiet, say=say)
        for path, content in ((output, table(arms)), (plot, frontier(arms))):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, "utf-8")
                say(f"wrote {path}")


def run_and_report(config: RunConfig, output: Path, work: Path, **options: Any) -> None:
    """The run of a configuration, and what came of it on stderr."""
    from service.core.encoder import silence_transformers
    from training.learning.processes import process_rank
    from training.pipeline.run import RunOptions, make_bundle

    silence_transformers()
    speak = say if process_rank() == 0 else _unsaid  # every process would say the same
    bundle = make_bundle(config, output, RunOptions(work, say=speak, **options))
    if bundle is not None:  # None in a process that only trains along
        _report(bundle)


def _report(bundle: Bundle) -> None:
    from training.evaluation.comparison import read_metrics
    from training.report.terminal import evaluation_tables

    for table in evaluation_tables(read_metrics(bundle.path)):
        stderr.print(table, markup=False, highlight=False)
    low, high = bundle.decision.borderline
    say(
        f"wrote {bundle.path} ({bundle.makeup}), threshold {bundle.decision.threshold} "
        f"(borderline from {low} to {high})"
    )


def _unsaid(message: str) -> None:
    """In place of `say`."""
