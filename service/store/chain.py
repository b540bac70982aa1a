"""The hash chain: what each row's hash is made of, and what the log's other signatures say.

    content   = HMAC(salt, canonical form of the row's content)
    hash      = HMAC(hash of the row before, sequence, decision_id, time, content)
    tombstone = HMAC(sequence, hash, time of the erasure)
    head      = HMAC(sequence and hash of the last row, key id)
    purge     = HMAC(sequence and hash of the last purged row, time of the purge)

All under one secret key, so that only who has it can write a chain. The content enters by a digest of its
own, under a salt that only this row has: when content and salt are erased, the digest stays, the chain still
holds, and not even the key's owner can find out by trying whose row it was.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from service.store.decisions import Decision
from service.store.key import LogKey
from service.store.tables import to_microseconds

CONTENT = (
    "request_id",
    "job_id",
    "candidate_id",
    "groups",
    "raw_score",
    "calibrated_probability",
    "threshold",
    "decision",
    "redact",
    "bundle_digest",
    "engine",
)
"""Columns that are erased with a person, in the order of the canonical form."""

Row = Mapping[Any, Any]  # column name -> value


def canonical(row: Row) -> bytes:
    """The content of a row as bytes: equal content gives equal bytes, other content other bytes."""
    # What stands in a database that was tampered with may be of any type: it must differ, not break.
    values = [row[name] for name in CONTENT]
    return json.dumps(values, separators=(",", ":"), default=repr).encode()


def content_digest(key: LogKey, row: Row) -> str:
    """What the chain holds of a row's content."""
    return key.sign_bytes("content", f"{row['salt']}\n".encode() + canonical(row))


def row_hash(key: LogKey, previous: str, row: Row) -> str:
    """The hash of a row whose `content` is known, after a row of hash `previous`."""
    return key.sign("row", [previous, row["sequence"], row["decision_id"], row["time"], row["content"]])


def genesis(key: LogKey) -> str:
    """What stands for the hash before the first row."""
    return key.sign("genesis", [])


def chained(key: LogKey, decision: Decision, sequence: int, previous: str) -> dict[str, Any]:
    """The row of a decision, ready to be inserted after a row of hash `previous`."""
    row: dict[str, Any] = {
        "sequence": sequence,
        "decision_id": decision.decision_id,
        "time": to_microseconds(decision.time),
        "request_id": decision.request_id,
        "job_id": decision.job_id,
        "candidate_id": decision.candidate_id,
        "groups": json.dumps(dict(decision.groups), sort_keys=True, separators=(",", ":")),
        # SQLite does not keep the sign of a zero.
        "raw_score": decision.raw_score + 0.0,
        "calibrated_probability": decision.calibrated_probability + 0.0,
        "threshold": decision.threshold + 0.0,
        "decision": decision.decision,
        "redact": decision.redact,
        "bundle_digest": decision.bundle_digest,
        "engine": decision.engine,
        "salt": secrets.token_hex(16),
    }
    row["content"] = content_digest(key, row)
    row["hash"] = row_hash(key, previous, row)
    return row


def tombstone(key: LogKey, row: Row, erased: int) -> str:
    """The signature of a lawful erasure, at `erased` microseconds."""
    return key.sign("tombstone", [row["sequence"], row["hash"], erased])
