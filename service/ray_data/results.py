"""The output's Parquet: its columns, and a block's scores and faults as the bytes of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from service.files.result_files import Result, flat_record
from service.ray_data.blocks import BlockRow, Fault

_TEXT_COLUMNS = ("file", "job_id", "decision", "language", "document_type")
"""Few different values each: kept as a dictionary."""

COLUMNS: Mapping[str, str] = {
    "file": "string",
    "line": "int64",
    "candidate_id": "string",
    "job_id": "string",
    "raw_score": "float64",
    "calibrated_probability": "float64",
    "decision": "string",
    "borderline": "bool",
    "redacted": "bool",
    "language": "string",
    "non_latin_script": "bool",
    "warnings": "list",
    "cohort_percentile": "float64",
    "document_type": "string",
    "document_pages": "int64",
    "document_characters": "int64",
    "document_warnings": "list",
    "decision_id": "string",
}
"""Of `results/`, by their type; `line` counts rows in Parquet. docs/ray.md says what stands in each."""

ERROR_COLUMNS: Mapping[str, str] = {
    "file": "string",
    "line": "int64",
    "candidate_id": "string",
    "code": "string",
    "message": "string",
}
"""Of `errors/`."""


def record_of(row: BlockRow, result: Result, decision_id: str | None) -> dict[str, Any]:
    """One row of `results/`: a resume against a posting."""
    record = flat_record(result.record())
    del record["rank"]
    return {"job_id": None, "cohort_percentile": None, **record} | {
        "file": row.file,
        "line": row.line,
        "candidate_id": row.id,
        "decision_id": decision_id,
    }


def results_parquet(records: Sequence[Mapping[str, Any]]) -> bytes:
    """A file of `results/`. The same records make the same bytes."""
    return _parquet(records, COLUMNS)


def errors_parquet(faults: Sequence[Fault]) -> bytes:
    """A file of `errors/`."""
    return _parquet(
        [
            {
                "file": one.file,
                "line": one.line,
                "candidate_id": one.candidate_id,
                "code": one.code,
                "message": one.message,
            }
            for one in faults
        ],
        ERROR_COLUMNS,
    )


def _parquet(records: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    types = {
        "string": pyarrow.string(),
        "int64": pyarrow.int64(),
        "float64": pyarrow.float64(),
        "bool": pyarrow.bool_(),
        "list": pyarrow.list_(pyarrow.string()),
    }
    schema = pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])
    sink = pyarrow.BufferOutputStream()
    table = pyarrow.Table.from_pylist(list(records), schema=schema)
    repeated = [name for name in _TEXT_COLUMNS if name in columns]
    pyarrow.parquet.write_table(table, sink, compression="zstd", use_dictionary=repeated)
    return bytes(sink.getvalue().to_pybytes())
