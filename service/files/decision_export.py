"""The decision log -> a CSV or JSON Lines file that `service.files.decision_files` reads, row by row."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import select

from service.core.errors import TableError
from service.core.files import private_file
from service.core.groups import GroupSchema
from service.core.spreadsheets import spreadsheet_safe
from service.core.tenants import DEFAULT_TENANT
from service.store import tables
from service.store.decisions import CONTENT
from service.store.log import DecisionLog
from service.store.tables import from_microseconds
from service.store.tenants import of_tenant

EXPORT_SUFFIXES = (".csv", ".jsonl")
_ROWS_A_FETCH = 2_000
_MADE = ("sequence", "decision_id", "time")
_TENANT = "tenant"
_PLAIN = tuple(name for name in CONTENT if name != "groups")
_IDS = ("request_id", "job_id", "candidate_id")

Record = dict[str, Any]
Write = Callable[[Record], object]


def export_decisions(
    decision_log: DecisionLog, file: Path, schema: GroupSchema, tenant: str | None = DEFAULT_TENANT
) -> int:
    """Write every decision that is not erased; returns how many. The file appears whole or not at all.

    `tenant`: whose decisions; None for those of all, which then have a column `tenant`.

    Raises `StoreError`, and `TableError` if the file cannot be written, an attribute is called as a column
    is, or a row has groups of an attribute outside the schema, for which a table has no column.
    """
    for name in schema.attributes:
        if name in (*_MADE, *_PLAIN, _TENANT):
            raise TableError(
                f"attribute {name} of EVENMATCH_GROUPS would take the place of the column {name}"
            )
    written = 0
    try:
        with private_file(file) as stream:
            made = _MADE if tenant is not None else (*_MADE, _TENANT)
            write = (_csv_writer if file.suffix.lower() == ".csv" else _jsonl_writer)(stream, schema, made)
            for record in _records(decision_log, schema, tenant):
                write(record)
                written += 1
    except OSError as error:
        raise TableError(f"{file} cannot be written: {error.strerror}") from None
    return written


def _records(decision_log: DecisionLog, schema: GroupSchema, tenant: str | None) -> Iterator[Record]:
    rows = tables.decisions
    query = select(rows).where(rows.c.erased.is_(None), *of_tenant(tenant)).order_by(rows.c.sequence)
    with decision_log.reading() as connection:
        for row in connection.execution_options(yield_per=_ROWS_A_FETCH).execute(query).mappings():
            groups: dict[str, str] = json.loads(row["groups"])
            if not set(groups) <= set(schema.attributes):
                raise TableError(
                    f"decision {row['sequence']:,} of the log has groups of an attribute outside "
                    "EVENMATCH_GROUPS: export under the settings that it was made with"
                )
            yield {
                **groups,
                "sequence": row["sequence"],
                "decision_id": row["decision_id"],
                "time": from_microseconds(row["time"]).isoformat(),
                **({_TENANT: row[_TENANT]} if tenant is None else {}),
                **{name: row[name] for name in _PLAIN},
            }


def _csv_writer(stream: TextIO, schema: GroupSchema, made: Sequence[str]) -> Write:
    columns = [*made, *_PLAIN, *schema.attributes]
    writer = csv.DictWriter(stream, columns, restval="")
    writer.writeheader()

    def write(record: Record) -> object:
        # Ids are what a caller sent.
        ids = {name: spreadsheet_safe(record[name] or "") for name in _IDS}
        return writer.writerow({**record, **ids})

    return write


def _jsonl_writer(stream: TextIO, schema: GroupSchema, _: Sequence[str]) -> Write:
    nobody = dict.fromkeys(schema.attributes)

    def write(record: Record) -> object:
        return stream.write(json.dumps({**nobody, **record}) + "\n")

    return write
