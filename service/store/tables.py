"""The tables, as SQLAlchemy Core; made and changed by the migrations only.

Times are microseconds since 1970 in UTC, as integers: both databases compare them alike, and no time zone can
get lost.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, MetaData, String, Table, Text

metadata = MetaData()

decisions = Table(
    "decisions",
    metadata,
    # Given in the order of the chain, without holes.
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    # Stays after an erasure: a random number, without which a row could be replayed from a spool again.
    Column("decision_id", String(36), nullable=False, unique=True),
    Column("time", BigInteger, nullable=False, index=True),
    # From here on to `salt`: null after a lawful erasure.
    Column("request_id", String(200)),
    Column("job_id", String(200)),
    Column("candidate_id", String(200), index=True),
    Column("groups", Text),  # JSON with sorted keys
    Column("raw_score", Float(53)),
    Column("calibrated_probability", Float(53)),
    Column("threshold", Float(53)),
    Column("decision", String(16)),
    Column("redact", Boolean),
    Column("bundle_digest", String(64)),
    Column("engine", String(32)),
    Column("salt", String(32)),
    Column("content", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    # Null unless erased.
    Column("erased", BigInteger),
    Column("tombstone", String(64)),
)

head = Table(
    "log_head",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # always 1: there is one chain
    Column("sequence", BigInteger, nullable=False),  # of the last row; 0 before the first
    Column("hash", String(64), nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("signature", String(64), nullable=False),
)

purges = Table(
    "log_purges",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),  # of the last row that was purged
    Column("hash", String(64), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("signature", String(64), nullable=False),
)
