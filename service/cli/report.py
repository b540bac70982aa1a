"""`evenmatch report`: a bias audit of decisions that were made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.cli.console import (
    EXIT_USAGE,
    EncodingOption,
    add_row,
    check_encoding,
    exit_codes,
    fail,
    moment,
    say,
    settings_from,
)
from service.cli.decision_options import (
    CandidateColumn,
    DateOrderOption,
    DecisionColumn,
    DuplicatesOption,
    GroupColumns,
    JobColumn,
    LeftOutValues,
    NotSelectedValues,
    ScoreColumn,
    SelectedValues,
    TimeColumn,
    group_columns,
    words_of,
)
from service.cli.group_options import GroupValues, UnknownLabelsOption, label_options, with_aliases
from service.cli.tenant_options import AllTenants, TenantOption, asked_tenant, check_tenant
from service.core.fairness.figure import Figure, number_text, percent_text
from service.core.fairness.findings import ALPHA, MINIMUM, SMALL_SHARE, FairnessOptions
from service.core.fairness.rates import ratio_text
from service.core.group_titles import attribute_title, group_title
from service.core.groups import UNKNOWN
from service.core.printable import one_line
from service.files.decision_columns import DecisionColumns
from service.files.decision_files import DecisionOptions, Decisions, check_decision_file, read_decisions
from service.files.writing import write_whole
from service.logs import log_to_stderr
from service.reports.bias_audit import (
    CITATIONS,
    TITLE,
    BiasAudit,
    BiasAuditData,
    BiasAuditStatement,
    conclusion,
    make_bias_audit,
)
from service.reports.bias_audit_html import bias_audit_html
from service.reports.bias_audit_records import bias_audit_csv, bias_audit_json
from service.reports.stored_audit import StoredQuestion, bias_audit_of_store
from service.store.database import open_database
from service.store.transactions import reading as in_store
from service.store.window_counts import window_asked

_WRITERS: dict[str, Callable[[BiasAudit], str]] = {
    ".html": bias_audit_html,
    ".json": bias_audit_json,
    ".csv": bias_audit_csv,
}

_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAMES_WIDTH = 12
"""Names of groups are folded, not below this; numbers are never cut, and rather wrapped by the terminal."""


def report(
    decisions: Annotated[
        Path | None, typer.Argument(help="Historical decisions: .csv, .tsv, .txt, .jsonl or .parquet.")
    ] = None,
    from_store: Annotated[
        bool, typer.Option("--from-store", help="Report the decisions of EVENMATCH_DATABASE_URL, not a file.")
    ] = False,
    window: Annotated[
        str | None, typer.Option(help="Of the store: the last 24h, 30d, ... or all. Without it 30d.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Of the store: the first moment, as 2026-03-01T00:00:00Z.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Of the store: the end; without it now.")] = None,
    bundle: Annotated[str | None, typer.Option(help="Of the store: one bundle only, by its digest.")] = None,
    ground_truth: Annotated[
        str | None, typer.Option(help="Of the store: label or human_decision [EVENMATCH_GROUND_TRUTH].")
    ] = None,
    tenant: TenantOption = None,
    all_tenants: AllTenants = False,
    output: Annotated[
        list[Path] | None, typer.Option(help="Write .html, .json or .csv; may be given several times.")
    ] = None,
    decision_column: DecisionColumn = None,
    score_column: ScoreColumn = None,
    time_column: TimeColumn = None,
    candidate_column: CandidateColumn = None,
    job_column: JobColumn = None,
    group_column: GroupColumns = None,
    selected_values: SelectedValues = None,
    not_selected_values: NotSelectedValues = None,
    left_out_values: LeftOutValues = None,
    date_order: DateOrderOption = None,
    duplicates: DuplicatesOption = "count",
    group_value: GroupValues = None,
    unknown_labels: UnknownLabelsOption = "refuse",
    encoding: EncodingOption = None,
    title: Annotated[str, typer.Option(help="Title of the report.")] = TITLE,
    source: Annotated[str | None, typer.Option(help="Where the data come from.")] = None,
    explanation: Annotated[str | None, typer.Option(help="What the data are.")] = None,
    distribution_date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Since when the tool is in use.")
    ] = None,
    exclude_under: Annotated[
        float | None,
        typer.Option(min=0, max=0.5, help="Leave groups under this share of the people out of the ratios."),
    ] = None,
    justification: Annotated[str | None, typer.Option(help="Why groups were left out.")] = None,
    minimum: Annotated[int, typer.Option(min=1, help="People in both groups for any conclusion.")] = MINIMUM,
    citation: Annotated[
        list[str] | None, typer.Option(help="In place of the citations that are there. May be repeated.")
    ] = None,
    limitation: Annotated[
        list[str] | None, typer.Option(help="One more limitation. May be repeated.")
    ] = None,
) -> None:
    """Report selection rates, scoring rates and impact ratios by group, as Local Law 144 asks for them.

    Needs no model. Groups are those of EVENMATCH_GROUPS, by the labels that people write (docs/groups.md).
    Errors name file, line and column, never a cell.
    """
    log_to_stderr("warning")
    settings = settings_from(fairness={"ground_truth": ground_truth})
    schema = settings.fairness.groups
    outputs = output or []
    if from_store == (decisions is not None):
        fail("name a file of decisions, or say --from-store", EXIT_USAGE)
    of_store = (window, since, until, bundle, ground_truth, tenant, all_tenants)
    if decisions is not None and any(of_store):
        fail(
            "--window, --since, --until, --bundle, --ground-truth, --tenant and --all-tenants are for "
            "--from-store",
            EXIT_USAGE,
        )
    check_tenant(tenant, all_tenants=all_tenants)
    columns = DecisionColumns(
        decision_column,
        score_column,
        time_column,
        candidate_column,
        job_column,
        group_columns(group_column or [], schema),
    )
    words = words_of(selected_values, not_selected_values, left_out_values)
    labels = label_options(group_value, unknown_labels)
    reading = DecisionOptions(words, labels, date_order, duplicates, encoding)
    if from_store and (columns != DecisionColumns() or reading != DecisionOptions()):
        fail("options of columns, of values and of labels are for a file, not for --from-store", EXIT_USAGE)
    check_encoding(encoding)
    if bundle is not None and not _DIGEST.fullmatch(bundle):
        fail("--bundle takes a digest of 64 hexadecimal digits, as `GET /v1/model` names it", EXIT_USAGE)
    _check_said(title=[title], source=[source], explanation=[explanation], justification=[justification])
    _check_said(citation=citation or [], limitation=limitation or [])
    for file in outputs:
        if file.suffix.lower() not in _WRITERS:
            fail(f"--output must end in {', '.join(_WRITERS)}, not {file.suffix or 'nothing'}", EXIT_USAGE)
    statement = BiasAuditStatement(
        title=title,
        source=source,
        explanation=explanation,
        distribution_date=None if distribution_date is None else distribution_date.date(),
        justification=justification,
        citations=tuple(citation or CITATIONS),
        limitations=tuple(limitation or ()),
    )
    options = FairnessOptions(
        minimum=minimum,
        alpha=ALPHA,
        small_share=SMALL_SHARE if exclude_under is None else exclude_under,
        leave_out_small=exclude_under is not None,
    )
    with exit_codes():
        if decisions is None:
            now = datetime.now(UTC)
            asked = window_asked(window, moment("since", since), moment("until", until), now)
            engine = open_database(settings.store.url, timeout=settings.store.database_seconds)
            try:
                with in_store(engine) as connection:
                    whose = asked_tenant(connection, tenant, all_tenants=all_tenants)
                question = StoredQuestion(asked, settings.fairness.ground_truth, bundle, tenant=whose)
                audit = bias_audit_of_store(engine, schema, question, statement, options, now).audit
            finally:
                engine.dispose()
            for note in audit.data.notes:
                say(note)
        else:
            check_decision_file(decisions)
            values = with_aliases(labels, settings.fairness.group_aliases)
            read = read_decisions(decisions, columns, schema, replace(reading, labels=values))
            for note in read.notes:
                say(note)
            audit = _audit(read, statement, options)
        # Nothing is written before everything is made.
        for file, text in [(file, _WRITERS[file.suffix.lower()](audit)) for file in outputs]:
            write_whole(file, text)
            say(f"wrote {file}")
    _print(audit)


def _check_said(**texts: Sequence[str | None]) -> None:
    for option, given in texts.items():
        if any(text is not None and not text.strip() for text in given):
            fail(f"--{option} is empty", EXIT_USAGE)


def _audit(decisions: Decisions, statement: BiasAuditStatement, options: FairnessOptions) -> BiasAudit:
    tally = decisions.tally
    data = BiasAuditData(
        people=tally.people,
        first_decision=decisions.first,
        last_decision=decisions.last,
        without_time=decisions.without_time,
        scored=tally.scored,
        median_score=tally.median_score(),
    )
    return make_bias_audit(tally.counts(), data, statement, options, datetime.now(UTC))


def _print(audit: BiasAudit) -> None:
    rows = list(_rows(audit))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("group", overflow="fold")
    headings = ("selected", "rate", "impact ratio, 95 %", "adverse impact")
    width = _NAMES_WIDTH
    for i, heading in enumerate(headings, 1):
        table.add_column(heading, justify="left" if heading == headings[-1] else "right", no_wrap=True)
        width += 2 + max(len(heading), max((len(row[i]) for row in rows if len(row) > i), default=0))
    for row in rows:
        add_row(table, *row, style="bold" if len(row) == 1 else None)
    console = Console()
    console.width = max(console.width, width)
    console.print(table, markup=False, highlight=False)
    for finding in audit.findings:
        console.print(one_line(f"- {finding}"), markup=False, highlight=False, soft_wrap=True)


def _rows(audit: BiasAudit) -> Iterator[tuple[str, ...]]:
    """Cells; an attribute's name stands alone."""
    for attribute in audit.attributes:
        comparison = attribute.selection
        yield (attribute_title(attribute.attribute),)
        for result in comparison.groups:
            if result.share.n:
                yield (
                    group_title(result.group),
                    f"{result.share.count:,} of {result.share.n:,}",
                    f"{percent_text(result.share.rate)}%",
                    _with_interval(result.impact_ratio),
                    conclusion(comparison, result),
                )
        yield group_title(UNKNOWN), f"{attribute.unknown:,}"
        yield ()


def _with_interval(figure: Figure) -> str:
    if figure.value is None:
        return ""
    interval = figure.interval
    return ratio_text(figure.value) + (
        f" [{number_text(interval.low, 2)}, {number_text(interval.high, 2)}]" if interval else ""
    )
