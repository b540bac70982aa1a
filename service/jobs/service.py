"""Batch jobs as the API has them: one object for what the routes ask of the store and the worker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from service.files.documents.archives import ArchiveLimits
from service.files.documents.pool import DocumentReader
from service.jobs.observer import JobsObserver
from service.jobs.options import JobsOptions
from service.jobs.owners import Owner
from service.jobs.sealing import Sealer
from service.jobs.uploads import JobRequest, Upload
from service.jobs.webhooks import check_secret
from service.jobs.worker import JobWorker
from service.runtime.open_requests import OpenRequests
from service.runtime.runtime import Runtime
from service.store.chain import LogKey
from service.store.database import open_database
from service.store.recorder import Recorder, StoreOptions

_OWNER = "owner of a batch job"


@dataclass(frozen=True)
class JobService:
    """Made by `open_jobs`; `start` before use and `stop` after, in one event loop."""

    engine: Engine
    sealer: Sealer
    log_key: LogKey
    options: JobsOptions
    archives: ArchiveLimits
    max_file_bytes: int
    worker: JobWorker

    def start(self) -> None:
        self.worker.start()

    async def stop(self) -> None:
        await self.worker.stop()
        self.engine.dispose()

    def owner_by(self, credential: str) -> Owner:
        """Whose jobs these are where nobody but a gateway knows: of the credential as it was sent."""
        return Owner(credential=self.log_key.sign(_OWNER, [credential]) if credential else "")

    def upload(self, request: JobRequest) -> Upload:
        """Begin an upload."""
        return Upload(self.engine, self.sealer, self.log_key, self.options, request)


def open_jobs(
    runtime: Runtime,
    recorder: Recorder,
    store: StoreOptions,
    options: JobsOptions,
    *,
    open_requests: OpenRequests,
    observer: JobsObserver,
    documents: DocumentReader,
    archives: ArchiveLimits,
    spend: Callable[[str, int], Awaitable[None]],
) -> JobService:
    """The jobs of one process. `spend`: counts tokens for the key that made a job.

    Raises `ConfigurationError` for a key to seal with, or a secret of webhooks, that is too short.
    """
    check_secret(options)
    # A database of its own: chunks must not wait for questions of requests, nor these for chunks.
    engine = open_database(store.url, timeout=store.database_seconds)
    sealer = Sealer.of(options.key.get_secret_value(), recorder.log_key)
    worker = JobWorker(
        runtime,
        recorder,
        engine,
        sealer,
        options,
        key_days=store.retention_days,
        open_requests=open_requests,
        observer=observer,
        documents=documents,
        spend=spend,
    )
    max_file_bytes = documents.limits.max_document_bytes
    return JobService(engine, sealer, recorder.log_key, options, archives, max_file_bytes, worker)
