"""The tables of batch jobs. Texts and results are in them sealed (`service.jobs.sealing`), ids of jobs only.

Inputs stand apart from the chunks that workers lease: a renewed lease must not write a chunk's texts again.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, String, Table, Text

from service.store.tables import metadata, tenant_column

jobs = Table(
    "score_jobs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner", String(64), nullable=False),  # digest of the credential that it was created with, or ''
    Column("status", String(16), nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("started", BigInteger),
    Column("ended", BigInteger),
    Column("expires", BigInteger, nullable=False),
    Column("deleted", BigInteger),  # the row stays for its key; nothing else of the job does
    Column("key", String(64), unique=True),  # digest of owner and `Idempotency-Key`
    Column("body", String(64), nullable=False),  # digest of what was sent
    Column("upload", String(36)),  # under which its inputs are; null once they are gone
    Column("total", Integer, nullable=False),  # rows
    Column("completed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("decided", Integer, nullable=False),
    Column("errors", Text, nullable=False),  # JSON: rows that failed, by code
    Column("options", Text, nullable=False),  # JSON
    Column("postings", LargeBinary),
    Column("webhook", LargeBinary),
    Column("failure", Text),  # JSON: code and message, of a job that failed as a whole
    tenant_column(),
)
Index("ix_score_jobs_owner", jobs.c.owner, jobs.c.created)
Index("ix_score_jobs_tenant", jobs.c.tenant, jobs.c.created)
Index("ix_score_jobs_status", jobs.c.status)

chunks = Table(
    "score_job_chunks",
    metadata,
    Column("job_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("first", Integer, nullable=False),  # index of its first row in the job
    Column("rows", Integer, nullable=False),
    Column("state", String(8), nullable=False),  # ready, running or done
    Column("lease", String(32)),
    Column("lease_until", BigInteger),
    Column("attempts", SmallInteger, nullable=False),
)
Index("ix_score_job_chunks_state", chunks.c.state)

inputs = Table(
    "score_job_inputs",
    metadata,
    Column("upload", String(36), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("first", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

# Uploads that are not yet, or never became, a job.
uploads = Table(
    "score_job_uploads",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("touched", BigInteger, nullable=False),
    tenant_column(),
)

results = Table(
    "score_job_results",
    metadata,
    Column("job_id", String(36), primary_key=True),
    Column("kind", String(8), primary_key=True),  # results, errors or top
    Column("number", Integer, primary_key=True, autoincrement=False),  # of the chunk, or part of the top
    Column("content", LargeBinary, nullable=False),
)

deliveries = Table(
    "score_job_deliveries",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("job_id", String(36), nullable=False, index=True),
    Column("created", BigInteger, nullable=False),
    Column("payload", Text, nullable=False),  # JSON: job id, status and counts
    Column("url", LargeBinary, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("due", BigInteger, index=True),  # null once it was delivered or given up
)
