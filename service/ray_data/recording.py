"""A run's decisions in the decision log: each once, however often the run is broken off and continued.

The log is written by the driver, which alone reaches it, from the blocks' files. The id of a decision is made
from the run's id, file, line and posting, and the log leaves out an id that it has: a block that was recorded
just before the driver was killed is given again and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from service.core.bundle import Bundle
from service.core.errors import TableError
from service.files.postings import Posting
from service.ray_data.checkpoint import Checkpoint
from service.ray_data.worker import EngineUsed
from service.store.decisions import Decision
from service.store.log import DecisionLog

_AT_ONCE = 2_000
"""Decisions in one commit."""


class BlockRecorder:
    """Records blocks that are written. `redact`: as they were scored."""

    def __init__(
        self,
        log: DecisionLog,
        checkpoint: Checkpoint,
        bundle: Bundle,
        engine: EngineUsed,
        cohort_digest: str | None,
        postings: Sequence[Posting],
        *,
        redact: bool,
    ) -> None:
        self._log = log
        self._checkpoint = checkpoint
        self._bundle = bundle
        self._engine = engine
        self._cohort_digest = cohort_digest
        self._titled = {posting.id: posting.title is not None for posting in postings}
        self._redact = redact

    def record(self, block: str) -> int:
        """Record a block's decisions; how many of them are new. Raises `StoreError`, `TableError`."""
        import pyarrow
        import pyarrow.parquet

        place = self._checkpoint.results_of(block)
        data = place.read()
        if data is None:
            raise TableError(f"{place} is gone: its decisions cannot be recorded")
        rows = pyarrow.parquet.read_table(pyarrow.BufferReader(data)).to_pylist()
        now = datetime.now(UTC)
        stored = 0
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            stored += self._log.append([self._decision(row, now) for row in part]).stored
        self._checkpoint.mark_recorded(block)
        return stored

    def _decision(self, row: Mapping[str, Any], now: datetime) -> Decision:
        raw_score = row["raw_score"]
        return Decision(
            decision_id=row["decision_id"],
            time=now,
            request_id=f"ray.{self._checkpoint.run}",
            job_id=row["job_id"],
            candidate_id=row["candidate_id"],
            groups={},
            raw_score=raw_score,
            calibrated_probability=self._bundle.calibration.probability(
                raw_score, titled=self._titled[row["job_id"]]
            ),
            threshold=self._bundle.decision.threshold,
            decision=row["decision"],
            redact=self._redact,
            bundle_digest=self._bundle.digest,
            engine=self._engine.name,
            cohort_digest=self._cohort_digest,
        )
