"""A run from its inputs to its output folder: checked, prepared, scored block by block, recorded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from service.core.bundle import Bundle, read_bundle
from service.core.errors import ErrorCollector, InputError, TableError
from service.files.document_texts import DocumentTexts
from service.files.documents.archives import ArchiveLimits
from service.files.documents.pool import DocumentOptions
from service.files.postings import Posting, PostingOptions, read_posting, read_postings
from service.files.score_journal import fingerprint
from service.files.table_columns import Say
from service.ray_data.blocks import MAX_RECORDED_ID_CHARACTERS, Fault, rows_a_block
from service.ray_data.checkpoint import Checkpoint
from service.ray_data.cluster import Cluster, Workers, connected
from service.ray_data.inputs import Inputs, Inspection, TableColumns, check_schemas, find_inputs
from service.ray_data.recording import BlockRecorder
from service.ray_data.storage import location
from service.ray_data.worker import Load, PreparedPostings, Scoring
from service.runtime.options import RuntimeOptions
from service.runtime.runtime import load_runtime
from service.store.recorder import StoreOptions

DEFAULT_BLOCK_ROWS = 500
_MOST_SAID = 20

Advance = Callable[[int], object]
"""Is told how many more resumes are scored."""


@dataclass(frozen=True, slots=True)
class RayRun:
    """What is to be scored and how. `job`: one posting with its `title`; `jobs`: many, as a table or folder.

    `system`: the file system of inputs and output, of pyarrow or fsspec; None: that of each path or URI.
    """

    resumes: Sequence[str]
    output: str
    runtime: RuntimeOptions
    documents: DocumentOptions
    store: StoreOptions
    archives: ArchiveLimits
    job: str | None = None
    jobs: str | None = None
    title: str | None = None
    columns: TableColumns = field(default_factory=TableColumns)
    postings: PostingOptions = field(default_factory=PostingOptions)
    redact: bool = True
    workers: Workers = field(default_factory=Workers)
    block_rows: int = DEFAULT_BLOCK_ROWS
    resume: bool = False
    record: bool = False
    system: Any = None
    load: Load = load_runtime


@dataclass(frozen=True, slots=True)
class ScoredOutput:
    """What a run did. `faults`: all that could not be scored, of runs that it continued, too.

    `scored` and `blocks`: resumes and blocks of this run; `reused`: blocks of those before it. `recorded`:
    decisions that are new in the decision log.
    """

    output: str
    scored: int
    blocks: int
    reused: int
    recorded: int
    faults: tuple[Fault, ...]
    complete: bool


def score_folder(run: RayRun, *, say: Say, advance: Advance) -> ScoredOutput:
    """Score all inputs into the output folder, or what an earlier run left of them.

    Raises `CheckpointError` for an output folder that does not fit, `TableError` and other `InputError`s for
    inputs and postings, `BundleError`, `ClusterError`, `StoreError` and what a worker raises. Finished blocks
    stay; the same run with `resume` goes on.
    """
    output = location(run.output, run.system)
    checkpoint = Checkpoint(output)
    checkpoint.check_folder(resume=run.resume)
    bundle = read_bundle(run.runtime.model.bundle_path)
    postings = _read_postings(run, say)
    parts = _parts(run, postings, bundle)
    checkpoint.check_parts(parts)
    no_resumes = [output, location(run.job or run.jobs or "", run.system)]
    inputs = find_inputs(run.resumes, system=run.system, leave_out=no_resumes)
    inputs, gone = checkpoint.check_inputs(inputs)
    scoring = Scoring(
        run.runtime, run.documents, output, bundle.digest, run.redact, run.columns.encoding, run.load
    )
    with connected(run.workers) as cluster:
        inspected = _inspected(cluster, inputs, run.columns, say)
        prepared = _prepared(cluster, scoring, postings, bundle, say)
        parts |= {
            "the engine": fingerprint(str(prepared.engine)),
            "the cohort": prepared.cohort_digest or "-",
        }
        checkpoint.check_parts(parts)
        about = {
            "bundle": f"{bundle.manifest.name} {bundle.manifest.version}",
            "bundle_digest": bundle.digest,
            "engine": str(prepared.engine),
            "evenmatch": version("evenmatch"),
            "postings": len(postings),
            "inputs": len(inputs.files),
            "redact": run.redact,
        }
        checkpoint.begin(parts, about, inputs)
        checkpoint.reopen()
        finished = frozenset(checkpoint.finished())
        if finished:
            say(f"{len(finished):,} blocks were scored by an earlier run")
        with _recorder(run, checkpoint, bundle, prepared, postings) as recorder:
            scored = blocks = recorded = 0
            if recorder is not None:
                for block in sorted(finished - checkpoint.recorded()):
                    recorded += recorder.record(block)
            faults = list(gone)
            for done in cluster.score(
                scoring,
                prepared,
                inputs.files if inspected is None else inspected,
                rows=rows_a_block(run.block_rows, len(postings)),
                finished=finished,
                run=checkpoint.run if run.record else None,
            ):
                if isinstance(done, Fault):
                    faults.append(done)
                    continue
                scored += done.scored
                blocks += 1
                if recorder is not None:
                    recorded += recorder.record(done.name)
                advance(done.scored + done.faults)
    if not blocks and not finished and not faults:
        raise TableError(f"{run.resumes[0]} holds no resumes")
    checkpoint.end(faults)
    return ScoredOutput(
        output.name, scored, blocks, len(finished), recorded, tuple(checkpoint.faults()), not faults
    )


def _inspected(cluster: Cluster, inputs: Inputs, columns: TableColumns, say: Say) -> list[Inspection] | None:
    """How the tables are to be read; None for documents. Raises `TableError` for schemas that differ."""
    if not inputs.of_tables:
        return None
    inspected = cluster.inspect(inputs.files, columns)
    check_schemas(inspected)
    said = [one for file in inspected for one in file.said]
    for one in said[:_MOST_SAID]:
        say(one)
    if len(said) > _MOST_SAID:
        say(f"and {len(said) - _MOST_SAID:,} notes like these")
    return inspected


def _prepared(
    cluster: Cluster, scoring: Scoring, postings: Sequence[Posting], bundle: Bundle, say: Say
) -> PreparedPostings:
    prepared = cluster.prepare(scoring, postings)
    errors = ErrorCollector()
    for error in prepared.faults:
        with errors:
            raise error
    errors.raise_any()
    little = sum(one.job.is_little for one in prepared.postings)
    if little:
        say(f"{little:,} of {len(postings):,} postings hold hardly any text: decisions are borderline")
    if prepared.uncovered:
        say(
            f"{prepared.uncovered:,} of {len(postings):,} postings are not covered by the cohort: they are "
            "scored as without it"
        )
    say(f"{bundle.manifest.name} {bundle.manifest.version} on {prepared.engine}, {cluster.workers:,} workers")
    return prepared


@contextmanager
def _recorder(
    run: RayRun,
    checkpoint: Checkpoint,
    bundle: Bundle,
    prepared: PreparedPostings,
    postings: Sequence[Posting],
) -> Iterator[BlockRecorder | None]:
    if not run.record:
        yield None
        return
    with closing(run.store.open_log(create_key=True)) as log:
        log.open()
        yield BlockRecorder(
            log, checkpoint, bundle, prepared.engine, prepared.cohort_digest, postings, redact=run.redact
        )


def _read_postings(run: RayRun, say: Say) -> list[Posting]:
    """The postings, read on this machine. Raises an `InputError`."""
    errors = ErrorCollector()
    with (
        DocumentTexts(run.documents, encoding=run.columns.encoding) as texts,
        _fetched(run.jobs if run.job is None else run.job, run.system) as place,
    ):
        if run.job is not None:
            postings = [read_posting(place, run.title, texts, archives=run.archives)]
        else:
            postings = read_postings(
                place, run.postings, texts, archives=run.archives, errors=errors, say=say
            )
    errors.raise_any()
    too_long = next((one for one in postings if len(one.id or "") > MAX_RECORDED_ID_CHARACTERS), None)
    if run.record and too_long is not None:
        raise InputError(
            f"{too_long.source}: the id has {len(too_long.id or ''):,} characters; "
            f"{MAX_RECORDED_ID_CHARACTERS} can be recorded"
        )
    return postings


@contextmanager
def _fetched(given: str | None, system: Any) -> Iterator[str]:
    """A path on this machine with what lies at a URI; a path as it is."""
    if given is None:
        raise InputError("either job or jobs is needed")
    place = location(given, system)
    if place.local is not None:
        yield str(place.local) if "://" in given else given
        return
    with tempfile.TemporaryDirectory(prefix="evenmatch-") as folder:
        alone = place.stat()
        files = place.files() if alone is None else [alone]
        if not files:
            raise TableError(f"{place} cannot be read: there is no such file or folder")
        base = place.path.rstrip("/")
        for file in files:
            below = file.place.path[len(base) :].lstrip("/") or Path(base).name
            target = Path(folder, "postings", below)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.place.read() or b"")
        yield str(Path(folder, "postings") if alone is None else Path(folder, "postings", Path(base).name))


def _parts(run: RayRun, postings: Sequence[Posting], bundle: Bundle) -> dict[str, str]:
    """What a row of the output depends on beside the resume, as fingerprints by what a person calls it."""
    redaction, model = run.runtime.redaction, run.runtime.model
    texts = [part for one in postings for part in (one.id, one.title, one.text)]
    options = (
        str(run.redact),
        ",".join(sorted(redaction.categories or ())),
        redaction.entities,
        str(model.prevalence),
        str(run.runtime.limits.max_text_characters),
        DocumentOptions.model_validate(run.documents).model_dump_json(exclude={"document_readers"}),
        str(run.columns),
    )
    return {
        "the postings": fingerprint(*texts),
        "the bundle": fingerprint(bundle.digest),
        "options": fingerprint(*options),
        "the block size": str(rows_a_block(run.block_rows, len(postings))),
        "recording": str(run.record),
        "Evenmatch": fingerprint(version("evenmatch")),
    }
