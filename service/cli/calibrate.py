"""`evenmatch calibrate`: probabilities against outcomes, and a bundle that is calibrated on them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.cli.console import (
    EXIT_UNUSABLE_INPUT,
    EXIT_USAGE,
    BundleOption,
    EncodingOption,
    add_row,
    check_encoding,
    exit_codes,
    fail,
    moment,
    say,
    settings_from,
)
from service.cli.tenant_options import AllTenants, TenantOption, asked_tenant, check_tenant
from service.core.bundle import Bundle, read_bundle
from service.core.calibration_proposal import (
    CalibrationProposal,
    Cut,
    Interval,
    Quality,
    apply_proposal,
    read_proposal,
)
from service.core.cohort_file import read_manifest
from service.core.errors import CalibrationError
from service.core.group_titles import attribute_title, group_title
from service.core.printable import one_line
from service.core.recalibration import ScoredDecisions, propose
from service.files.outcome_files import OutcomeColumns, read_outcome_file
from service.files.writing import write_whole
from service.logs import log_to_stderr
from service.settings import Settings
from service.store.database import open_database
from service.store.scored_decisions import read_scored_decisions
from service.store.transactions import reading
from service.store.window_counts import EVERYTHING, window_asked

_COLUMNS = OutcomeColumns()


def calibrate(
    from_store: Annotated[
        bool, typer.Option("--from-store", help="Outcomes of the decisions in EVENMATCH_DATABASE_URL.")
    ] = False,
    from_file: Annotated[
        Path | None,
        typer.Option("--from", help="A table of scores with outcomes: .csv, .tsv, .txt, .jsonl, .parquet."),
    ] = None,
    proposal: Annotated[
        Path | None, typer.Option(help="A proposal of an earlier run, to make a bundle of.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Write the proposal to this .json file.")] = None,
    precision: Annotated[
        float | None,
        typer.Option(help="Also propose the lowest threshold with this expected precision, as 0.75."),
    ] = None,
    window: Annotated[
        str | None, typer.Option(help="Of the store: the last 30d, 24h, ... Without it all.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Of the store: the first moment, as 2026-03-01T00:00:00Z.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Of the store: the end; without it now.")] = None,
    tenant: TenantOption = None,
    all_tenants: AllTenants = False,
    ground_truth: Annotated[
        str | None, typer.Option(help="Of the store: label or human_decision [EVENMATCH_GROUND_TRUTH].")
    ] = None,
    outcome_column: Annotated[str, typer.Option(help="Of the file: the outcome.")] = _COLUMNS.outcome,
    probability_column: Annotated[
        str, typer.Option(help="Of the file: the calibrated probability.")
    ] = _COLUMNS.probability,
    raw_score_column: Annotated[
        str, typer.Option(help="Of the file: the raw score, if it has no probability.")
    ] = _COLUMNS.raw_score,
    posting_column: Annotated[str, typer.Option(help="Of the file: the posting's id.")] = _COLUMNS.posting,
    candidate_column: Annotated[
        str, typer.Option(help="Of the file: the candidate's id.")
    ] = _COLUMNS.candidate,
    file_prevalence: Annotated[
        float | None,
        typer.Option(
            help="Of the file: the `prevalence` of its probabilities, if it is not the bundle's own."
        ),
    ] = None,
    bundle_output: Annotated[
        Path | None,
        typer.Option(help="With --proposal: write a copy of the bundle with it to this new folder."),
    ] = None,
    threshold: Annotated[
        Cut,
        typer.Option(help="With --bundle-output: what keeps decisions, or that of --precision."),
    ] = "same_decisions",
    bundle: BundleOption = None,
    encoding: EncodingOption = None,
) -> None:
    """Compare probabilities with outcomes, and propose a calibration. Nothing is applied by itself.

    A bundle is made of a proposal by a second command, and served only when it is named as the bundle. Needs
    no model. See docs/calibration.md.
    """
    log_to_stderr("warning")
    settings = settings_from(model={"bundle": bundle}, fairness={"ground_truth": ground_truth})
    if [from_store, from_file is not None, proposal is not None].count(True) != 1:
        fail("say one of --from-store, --from FILE and --proposal FILE", EXIT_USAGE)
    if (proposal is None) != (bundle_output is None):
        fail("--proposal and --bundle-output go together", EXIT_USAGE)
    if not from_store and any((window, since, until, ground_truth, tenant, all_tenants)):
        fail(
            "--window, --since, --until, --ground-truth, --tenant and --all-tenants are for --from-store",
            EXIT_USAGE,
        )
    check_tenant(tenant, all_tenants=all_tenants)
    columns = OutcomeColumns(
        outcome_column, probability_column, raw_score_column, posting_column, candidate_column
    )
    if from_file is None and (columns != _COLUMNS or file_prevalence is not None or encoding is not None):
        fail("options of columns, --file-prevalence and --encoding are for --from FILE", EXIT_USAGE)
    for option, share in (("--precision", precision), ("--file-prevalence", file_prevalence)):
        if share is not None and not 0 < share < 1:
            fail(f"{option} must be above 0 and below 1; it is {share:g}", EXIT_USAGE)
    if output is not None and output.suffix.lower() != ".json":
        fail(f"--output must end in .json, not {output.suffix or 'nothing'}", EXIT_USAGE)
    check_encoding(encoding)
    with exit_codes():
        try:
            served = read_bundle(settings.model.bundle_path)
            if proposal is not None and bundle_output is not None:
                _make_bundle(proposal, served, bundle_output, threshold)
                return
            if from_file is not None:
                read = read_outcome_file(
                    from_file,
                    columns,
                    served,
                    settings.fairness.groups,
                    prevalence=file_prevalence,
                    encoding=encoding,
                )
                for note in read.notes:
                    say(note)
                decisions, truth = read.decisions, None
            else:
                decisions = _stored(settings, served, window, since, until, tenant, all_tenants=all_tenants)
                truth = settings.fairness.ground_truth
            found = propose(
                decisions,
                served,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                source="store" if from_file is None else from_file.name,
                ground_truth=truth,
                precision=precision,
            )
        except CalibrationError as error:
            fail(error.message, EXIT_UNUSABLE_INPUT)
        if output is not None:
            write_whole(output, found.model_dump_json(indent=2) + "\n")
            say(f"wrote the proposal to {output}; nothing is applied")
    _print(found)


def _stored(
    settings: Settings,
    bundle: Bundle,
    window: str | None,
    since: str | None,
    until: str | None,
    tenant: str | None,
    *,
    all_tenants: bool,
) -> ScoredDecisions:
    start, end = moment("since", since), moment("until", until)
    length = EVERYTHING if window is None and start is None else window
    asked = window_asked(length, start, end, datetime.now(UTC))
    kind = settings.fairness.ground_truth
    folder = settings.model.cohort
    cohort = None if folder is None else read_manifest(folder.expanduser())[1]
    engine = open_database(settings.store.url, timeout=settings.store.database_seconds)
    try:
        with reading(engine) as connection:
            whose = asked_tenant(connection, tenant, all_tenants=all_tenants)
            found = read_scored_decisions(connection, asked, bundle.digest, kind, cohort, whose)
    finally:
        engine.dispose()
    if found.of_others:
        say(
            f"outcomes of decisions by other bundles or cohorts, left out: {found.of_others:,}; --bundle and "
            "EVENMATCH_COHORT name those that are asked about"
        )
    return found.decisions


def _make_bundle(file: Path, bundle: Bundle, folder: Path, cut: Cut) -> None:
    made = apply_proposal(read_proposal(file), bundle, folder, cut)
    say(
        f"wrote {made.manifest.name} {made.manifest.version} to {folder}, threshold "
        f"{made.decision.threshold:g}; it is served with EVENMATCH_BUNDLE={folder}"
    )


def _print(found: CalibrationProposal) -> None:
    console = Console()
    counts = found.counts
    console.print(
        f"{found.bundle.name} {found.bundle.version}: {counts.outcomes:,} outcomes, "
        f"{counts.matches:,} matches ({100 * found.observed_prevalence:.1f} %), "
        f"{counts.postings:,} postings, {counts.candidates:,} candidates, of {counts.decisions:,} decisions",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    quality = Table("probabilities", "mean", "Brier", "skill", "ECE", "ECE by mass")
    for name, one in (
        ("the bundle's own", found.before),
        ("shifted to the share of matches", found.shifted),
        ("re-calibrated, on other postings", found.after),
    ):
        add_row(quality, name, *_figures(one))
    curve = Table("log odds", "value", "95 %")
    for name, interval in (("slope (1: right)", found.slope), ("intercept (0: right)", found.intercept)):
        add_row(curve, name, *_with_interval(interval))
    cuts = Table(
        "threshold", "new", "today", "selected", "expected precision", "expected recall", "observed precision"
    )
    for cut, proposed in found.thresholds.items():
        add_row(
            cuts,
            cut.replace("_", " ") if cut != "precision" else f"precision {found.precision:g}",
            f"{proposed.threshold:.4f}",
            f"{proposed.today:.4f}",
            _share(proposed.selection_rate),
            _share(proposed.expected_precision),
            _share(proposed.expected_recall),
            f"{' '.join(_with_interval(proposed.observed_precision))} of {proposed.observed:,}",
        )
    tables = [quality, curve, cuts]
    if found.groups:
        tables.append(_groups(found))
    for table in tables:
        console.print(table, markup=False, highlight=False)
    for warning in found.warnings:
        console.print(one_line(f"- {warning}"), markup=False, highlight=False, soft_wrap=True)


def _groups(found: CalibrationProposal) -> Table:
    table = Table("group", "decisions", "outcomes", "matches", "match rate", "mean before", "after")
    attribute = ""
    for one in found.groups:
        if one.attribute != attribute:
            attribute = one.attribute
            add_row(table, attribute_title(attribute), style="bold")
        add_row(
            table,
            group_title(one.group),
            f"{one.decisions:,}",
            f"{one.outcomes:,}",
            f"{one.matches:,}",
            _share(one.match_rate),
            _share(one.mean_before),
            _share(one.mean_after),
        )
    return table


def _figures(quality: Quality | None) -> tuple[str, ...]:
    if quality is None:
        return ("too few postings",)
    return (
        f"{quality.mean_probability:.3f}",
        f"{quality.brier:.4f}",
        f"{quality.brier_skill_score:.3f}",
        f"{quality.expected_calibration_error:.4f}",
        f"{quality.expected_calibration_error_by_mass:.4f}",
    )


def _with_interval(interval: Interval) -> tuple[str, str]:
    if interval.value is None:
        return "-", ""
    if interval.low is None or interval.high is None:
        return f"{interval.value:.3f}", ""
    return f"{interval.value:.3f}", f"({interval.low:.3f} to {interval.high:.3f})"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
