"""The table of answers to requests with an `Idempotency-Key`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, Text

from service.store.tables import metadata

answers = Table(
    "answers",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("body", String(64)),  # null after an erasure
    Column("submission", String(16), nullable=False),
    # That of the answer's decisions, to the microsecond: by it an erasure finds the answer.
    Column("time", BigInteger, nullable=False, index=True),
    Column("content", Text),  # JSON; null after an erasure
)
