"""Scoring on many machines from Python: what `evenmatch score --engine ray` does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from evenmatch.model import settings_for
from service.core.errors import ConfigurationError
from service.files.postings import PostingOptions
from service.ray_data.cluster import Workers
from service.ray_data.inputs import TableColumns
from service.ray_data.run import DEFAULT_BLOCK_ROWS, RayRun, ScoredOutput, score_folder
from service.runtime.devices import EngineSetting

log = logging.getLogger(__name__)

__all__ = ["ScoredOutput", "score_with_ray"]


def score_with_ray(
    resumes: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    job: str | Path | None = None,
    jobs: str | Path | None = None,
    title: str | None = None,
    id_column: str | None = None,
    text_column: str | None = None,
    number_rows: bool = False,
    job_id_column: str | None = None,
    job_title_column: str | None = None,
    job_text_column: str | None = None,
    encoding: str | None = None,
    redact: bool = True,
    prevalence: float | None = None,
    bundle: str | Path | None = None,
    cohort: str | Path | None = None,
    engine: EngineSetting | None = None,
    workers: int | None = None,
    cpus_per_worker: int = 1,
    gpus_per_worker: float = 0.0,
    ray_address: str | None = None,
    block_rows: int = DEFAULT_BLOCK_ROWS,
    resume: bool = False,
    record: bool = False,
    filesystem: Any = None,
    advance: Callable[[int], object] = lambda count: None,
) -> ScoredOutput:
    """Score files of resumes against postings with Ray Data, into a folder of Parquet (docs/ray.md).

    Args:
        resumes: Files, folders or patterns: tables (Parquet, JSON Lines, CSV) or documents; paths or URIs,
            as `s3://bucket/resumes/`.
        output: A folder, path or URI: empty, not there yet, or with `resume` that of an earlier run.
        job: The posting, a document.
        jobs: In its place many: a table, or a folder of documents.
        title: Of the only posting.
        id_column: With the candidate's id; None: it is guessed, as the other columns are.
        text_column: With the resume's text.
        number_rows: Take the numbers of lines as ids.
        job_id_column: With a posting's id.
        job_title_column: With its title.
        job_text_column: With its text.
        encoding: Of texts and tables without a byte-order mark; None: it is found out.
        redact: Hide names, schools and the like from the model; off, names alone.
        prevalence: As in `Model.score`.
        bundle: As in `load`. A folder must be there on every machine.
        cohort: As in `load`. It must be there on every machine.
        engine: As in `load`.
        workers: Model actors, one a device; None: as many as the cluster has room for.
        cpus_per_worker: CPUs, and the engine's threads, of each.
        gpus_per_worker: GPUs of each; 0.5 lets two share one.
        ray_address: Of a running cluster; None: the Ray of this process, `RAY_ADDRESS`, or one started here.
        block_rows: Resumes that are scored and written together.
        resume: Go on with an earlier run. What differs from it, but for workers, is refused by name.
        record: Keep each decision in the decision log, once.
        filesystem: Of pyarrow or fsspec, in which all paths are.
        advance: Is told how many more resumes are done.

    Raises:
        CheckpointError: The output folder holds something else, or was begun with other options or inputs.
        InputError: Inputs or postings cannot be used; tables whose columns differ are named.
        ClusterError: Ray is not reached or went away: the same call with `resume=True` goes on.
        ConfigurationError: A setting is wrong, or Ray is not installed.
        BundleError, EngineError, StoreError: As in the service.
    """
    if (job is None) == (jobs is None):
        raise ConfigurationError("give either job or jobs")
    if (workers is not None and workers < 1) or cpus_per_worker < 1 or gpus_per_worker < 0 or block_rows < 1:
        raise ConfigurationError("workers, cpus_per_worker and block_rows are 1 at least, gpus_per_worker 0")
    model: dict[str, str | float | None] = {
        "engine": engine,
        "cohort": None if cohort is None else str(cohort),
        "prevalence": prevalence,
    }
    settings = settings_for(bundle, **model)
    given = [resumes] if isinstance(resumes, str | Path) else resumes
    run = RayRun(
        [str(one) for one in given],
        str(output),
        settings.runtime,
        settings.documents,
        settings.store,
        settings.archives,
        job=None if job is None else str(job),
        jobs=None if jobs is None else str(jobs),
        title=title,
        columns=TableColumns(id_column, text_column, encoding, number_rows),
        postings=PostingOptions(job_id_column, job_title_column, job_text_column, encoding),
        redact=redact,
        workers=Workers(workers, cpus_per_worker, gpus_per_worker, ray_address),
        block_rows=block_rows,
        resume=resume,
        record=record,
        system=filesystem,
    )
    return score_folder(run, say=log.info, advance=advance)
