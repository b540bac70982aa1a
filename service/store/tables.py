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
    Column("decision_id", String(36), nullable=False, unique=True),
    Column("time", BigInteger, nullable=False, index=True),
    Column("request_id", String(200)),
    Column("job_id", String(200)),
    # Null after a lawful erase, as are the groups.
    Column("candidate_id", String(200), index=True),
    Column("groups", Text),  # JSON with sorted keys
    Column("raw_score", Float(53)),
    Column("calibrated_probability", Float(53)),
    Column("threshold", Float(53)),
    Column("decision", String(16)),
    Column("redact", Boolean),
    Column("bundle_digest", String(64)),
    Column("engine", String(32)),
    Column("hash", String(64), nullable=False),
)
