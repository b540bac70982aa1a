"""What one worker does: load the bundle once, then score blocks and write each of them whole."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from typing import Any

from service.core.bundle import read_bundle
from service.core.calibration import PriorShift
from service.core.engines.engine import EngineInfo
from service.core.errors import (
    BundleError,
    ConfigurationError,
    CountError,
    ErrorCollector,
    InputError,
    TableError,
)
from service.core.matching import Match
from service.files.bulk_scoring import BulkScorer, ReadPosting, read_postings
from service.files.document_texts import DocumentTexts
from service.files.documents.pool import DocumentOptions
from service.files.postings import Posting
from service.files.result_files import Result, ScoredCandidate
from service.files.resume_files import UnreadResume
from service.files.score_journal import MILLIONTHS, Scores
from service.ray_data.blocks import MAX_RECORDED_ID_CHARACTERS, Block, BlockRow, Fault
from service.ray_data.checkpoint import Checkpoint
from service.ray_data.results import errors_parquet, record_of, results_parquet
from service.ray_data.storage import Location
from service.runtime.options import RuntimeOptions
from service.runtime.runtime import Runtime, load_runtime
from service.runtime.worker_process import forbid_core_dumps

_STOP_SECONDS = 10.0

Load = Callable[[RuntimeOptions], Runtime]


@dataclass(frozen=True, slots=True)
class EngineUsed:
    """On what vectors were made. Scores of two kinds differ in their last digits, and are not mixed."""

    name: str
    device: str
    precision: str

    @classmethod
    def of(cls, info: EngineInfo) -> EngineUsed:
        """What of an engine scores depend on."""
        return cls(info.name, info.device, info.precision)

    def __str__(self) -> str:
        return f"{self.name} {self.device} {self.precision}"


@dataclass(frozen=True, slots=True)
class Scoring:
    """How blocks are scored, on every machine. `digest`: of the bundle; `load`: makes the runtime."""

    runtime: RuntimeOptions
    documents: DocumentOptions
    output: Location
    digest: str
    redact: bool = True
    encoding: str | None = None
    load: Load = load_runtime
    evenmatch: str = field(default_factory=partial(version, "evenmatch"))


@dataclass(frozen=True, slots=True)
class PreparedPostings:
    """The postings with their vectors, made once. `faults`: of those that cannot be read, if any."""

    engine: EngineUsed
    cohort_digest: str | None
    shift: PriorShift
    postings: list[ReadPosting] = field(default_factory=list)
    faults: list[InputError] = field(default_factory=list)
    uncovered: int = 0


@dataclass(frozen=True, slots=True)
class BlockDone:
    """What became of a block: rows scored, rows at fault."""

    name: str
    scored: int
    faults: int


class _NoProgress:
    def advance(self, count: int, *, reused: int = 0) -> None:
        """Blocks are small: the driver counts them."""


def load(scoring: Scoring, threads: int) -> Runtime:
    """The runtime, started. Raises `BundleError` if this machine has another bundle, or none."""
    forbid_core_dumps()
    if version("evenmatch") != scoring.evenmatch:
        raise ConfigurationError(
            f"this worker has Evenmatch {version('evenmatch')}, the run was begun by {scoring.evenmatch}"
        )
    path = scoring.runtime.model.bundle_path
    found = read_bundle(path).digest
    if found != scoring.digest:
        raise BundleError(
            f"bundle {path} is another one on this worker than where the run was begun "
            f"({found[:12]}, not {scoring.digest[:12]}): give all machines the same folder"
        )
    options = scoring.runtime
    if not options.model.threads:
        options = replace(options, model=options.model.model_copy(update={"threads": max(1, threads)}))
    runtime = scoring.load(options)
    runtime.start()
    return runtime


def prepare_postings(scoring: Scoring, postings: Sequence[Posting], threads: int) -> PreparedPostings:
    """Read and encode the postings, on a machine like those that will score."""
    runtime = load(scoring, threads)
    try:
        errors = ErrorCollector()
        read = asyncio.run(read_postings(runtime, postings, errors, _NoProgress()))
        norms = [runtime.matcher.norm_of(one.job, one.vectors) for one in read]
        return PreparedPostings(
            EngineUsed.of(runtime.info),
            runtime.cohort_digest,
            runtime.prior_shift(None),
            read,
            list(errors.errors),
            sum(norm is not None and not norm.covered for norm in norms),
        )
    finally:
        runtime.stop(_STOP_SECONDS)


class BlockScorer:
    """Scores blocks on one device, one after the other. Loads the bundle when it is made.

    `run`: the id of the run, if each row is to name the decision that will be recorded of it. Raises what
    `load_runtime` does, and `ConfigurationError` on a machine that computes otherwise than the first one.
    """

    def __init__(
        self, scoring: Scoring, prepared: PreparedPostings, *, threads: int, run: str | None = None
    ) -> None:
        self._scoring = scoring
        self._prepared = prepared
        self._namespace = None if run is None else uuid.UUID(run)
        self._checkpoint = Checkpoint(scoring.output)
        self._runtime = load(scoring, threads)
        engine = EngineUsed.of(self._runtime.info)
        if engine != prepared.engine:
            self._runtime.stop(_STOP_SECONDS)
            raise ConfigurationError(
                f"this worker computes with {engine}, the postings were encoded with {prepared.engine}: "
                "scores would not compare; use machines of one kind, or set EVENMATCH_ENGINE"
            )
        self._texts = DocumentTexts(scoring.documents, encoding=scoring.encoding, processes=max(1, threads))
        self._norms = [self._runtime.matcher.norm_of(one.job, one.vectors) for one in prepared.postings]
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        """Stop the model and the processes that read documents."""
        self._texts.stop()
        self._runtime.stop(_STOP_SECONDS)
        self._loop.close()

    def score(self, block: Block) -> BlockDone:
        """Score a block and write it. Raises an `EngineError` or a `CapacityError` if that fails.

        The same block makes the same bytes, so that it does no harm if it is done twice.
        """
        rows = _BlockRows(self, block)
        scorer = BulkScorer(
            self._runtime,
            self._prepared.postings,
            self._texts,
            rows,
            redact=self._scoring.redact,
            errors=rows.errors,
            skip=True,
            failed=rows.failed,
        )
        self._loop.run_until_complete(scorer.score(rows.unread(), _NoProgress()))
        faults = sorted(rows.faults, key=lambda fault: fault.line or 0)
        self._checkpoint.write_block(
            block.name, results_parquet(rows.records), errors_parquet(faults) if faults else None
        )
        return BlockDone(block.name, rows.scored, len(faults))

    def matches(self, scores: Scores) -> Iterator[tuple[int, ReadPosting, Match]]:
        """What is said of a resume's scores, for each posting."""
        for number, posting in enumerate(self._prepared.postings):
            raw_score = int(scores[number]) / MILLIONTHS
            match = self._runtime.matcher.decide(raw_score, posting.job, self._norms[number])
            yield number, posting, match.reported(self._prepared.shift)

    @property
    def records(self) -> bool:
        """Whether decisions will be recorded."""
        return self._namespace is not None

    @property
    def most_bytes(self) -> int:
        """The largest document that is read."""
        return self._texts.limits.max_document_bytes

    @property
    def with_cohort(self) -> bool:
        """Whether scores are normalised."""
        return self._runtime.cohort is not None

    def decision_id(self, row: BlockRow, posting: int) -> str | None:
        """The id of a decision: the same whenever the row is scored in this run."""
        if self._namespace is None:
            return None
        return str(uuid.uuid5(self._namespace, f"{row.file}\n{row.line}\n{posting}"))


class _BlockRows:
    """The rows of one block on their way through the scorer, which knows them by their index."""

    def __init__(self, scorer: BlockScorer, block: Block) -> None:
        self._scorer = scorer
        self._rows = block.rows
        self.errors = ErrorCollector()
        self.faults = list(block.faults)
        self.records: list[dict[str, Any]] = []
        self.scored = 0

    def unread(self) -> Iterator[UnreadResume]:
        """The rows as the scorer takes them; a document is read from where it lies."""
        for number, row in enumerate(self._rows):
            if self._scorer.records and len(row.id) > MAX_RECORDED_ID_CHARACTERS:
                most = MAX_RECORDED_ID_CHARACTERS
                said = f"{row.source}: the id has {len(row.id):,} characters; {most} can be recorded"
                self.faults.append(Fault(row.file, row.line, None, CountError.code, said))
                continue
            if row.place is None:
                yield UnreadResume(str(number), row.source, row.text, line=row.line)
                continue
            try:
                with row.place.open("rb") as stream:
                    data = stream.read(self._most_bytes + 1)
            except OSError as error:
                why = "is not there any more" if isinstance(error, FileNotFoundError) else "cannot be read"
                code = "not_found" if isinstance(error, FileNotFoundError) else TableError.code
                self.faults.append(Fault(row.file, None, row.id, code, f"{row.file} {why}"))
                continue
            yield UnreadResume(str(number), row.file, data=data)

    @property
    def _most_bytes(self) -> int:
        return self._scorer.most_bytes

    def failed(self, resume: UnreadResume, error: InputError) -> None:
        """Keep what is wrong with a row."""
        row = self._rows[int(resume.id)]
        self.faults.append(Fault.of(error, row.file, line=row.line, candidate_id=row.id))

    def add(self, candidate: ScoredCandidate, scores: Scores) -> None:
        """Keep a row's scores."""
        row = self._rows[int(candidate.id)]
        self.scored += 1
        for number, posting, match in self._scorer.matches(scores):
            result = Result(
                0, candidate, match, posting.posting.id, number, with_cohort=self._scorer.with_cohort
            )
            self.records.append(record_of(row, result, self._scorer.decision_id(row, number)))
