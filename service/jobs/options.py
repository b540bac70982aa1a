"""The settings of batch jobs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

LONGEST_TTL_SECONDS = 23 * 3_600
"""An hour less than answers are kept for (`store.decisions.ANSWER_LIFETIME`), for clocks that differ and
chunks that were begun in the last moment: whoever scores a chunk again finds what was decided at first."""


class JobsOptions(BaseModel):
    """How much a batch job may hold, how long it is kept, and who is told of its end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(
        True, description="Score batch jobs in this process; `false`: it only takes them and answers."
    )
    key: SecretStr = Field(
        SecretStr(""),
        description="Secret that inputs and results of jobs are encrypted with, the same for all replicas; "
        "empty: derived from the log's key.",
    )
    max_upload_bytes: int = Field(2**30, ge=1_024, description="Largest upload of a job, in bytes.")
    max_rows: int = Field(1_000_000, ge=1, description="Most candidates of a job.")
    max_postings: int = Field(1_000, ge=1, description="Most postings for all candidates of a job.")
    max_pairs: int = Field(10_000_000, ge=1, description="Most candidates times postings of a job.")
    chunk_rows: int = Field(
        128, ge=1, le=1_000, description="Candidates that are scored, recorded and leased together."
    )
    lease_seconds: float = Field(
        60.0,
        ge=1,
        le=3_600,
        description="After so long without a sign of life another process takes over a chunk.",
    )
    attempts: int = Field(
        10, ge=1, le=1_000, description="Times that a chunk is begun before its rows are given up."
    )
    ttl_seconds: int = Field(
        LONGEST_TTL_SECONDS,
        ge=60,
        le=LONGEST_TTL_SECONDS,
        description="Time that a job may take unless it says less; then it is `expired`.",
    )
    results_days: float = Field(
        7.0, gt=0, le=3_650, description="Days after its end for which a job's results are kept."
    )
    webhook_secret: SecretStr = Field(
        SecretStr(""),
        description="Secret of webhooks (`whsec_` and base64, as Standard Webhooks has it); empty: none are "
        "sent.",
    )
    webhook_private: bool = Field(
        False, description="Send webhooks to private and local addresses, and by plain http, too."
    )
    webhook_hours: float = Field(
        24.0, gt=0, le=24 * 30, description="Hours for which a webhook that fails is tried again."
    )
