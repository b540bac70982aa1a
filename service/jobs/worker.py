"""The jobs of one process: chunks are leased, scored and kept, a few at a time, until the service stops.

Every process runs a worker, and leases see to it that no two have the same chunk. While requests are being
answered the worker reads no text, or only now and then: reading is Python, of which one thread runs at a
time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Engine, select

from service.core.errors import (
    CapacityError,
    ChunkAbandonedError,
    EngineError,
    InputError,
    LeaseLostError,
    SealedError,
    StoreError,
    UnknownJobError,
)
from service.files.documents.pool import DocumentReader
from service.jobs import job_store, leases, results, upkeep
from service.jobs.chunk_records import PreparedJob, ScoredChunk, fault_record
from service.jobs.chunk_scoring import ChunkScorer
from service.jobs.job_store import Job
from service.jobs.leases import Lease
from service.jobs.observer import JobsObserver
from service.jobs.options import JobsOptions
from service.jobs.rows import Fault, Row, unpack_rows
from service.jobs.sealing import Sealer
from service.jobs.uploads import owner_of_input
from service.jobs.webhooks import WebhookSender
from service.logs import OncePerMinute
from service.runtime.open_requests import OpenRequests
from service.runtime.runtime import Runtime
from service.runtime.usage import counting_tokens
from service.store.job_tables import inputs, jobs
from service.store.recorder import Recorder
from service.store.transactions import reading

log = logging.getLogger(__name__)

T = TypeVar("T")

_AT_ONCE = 2
"""Chunks: while one is in the engine, the next is read."""

_POLL_SECONDS = 1.0
_SWEEP_SECONDS = 30.0
_AFTER_FAILURE_SECONDS = 3.0
_AFTER_BUG_SECONDS = 10.0
_GIVE_WAY_SECONDS = 0.25
"""Longest that a step of work on texts waits for requests that are being answered."""

_PREPARED = 4
"""Jobs whose postings are kept in memory."""


class JobWorker:
    """`start` before use and `stop` after, in one event loop. `engine`: a database of its own."""

    def __init__(
        self,
        runtime: Runtime,
        recorder: Recorder,
        engine: Engine,
        sealer: Sealer,
        options: JobsOptions,
        *,
        key_days: float,
        open_requests: OpenRequests,
        observer: JobsObserver,
        documents: DocumentReader,
        spend: Callable[[str, int], Awaitable[None]],
    ) -> None:
        """`spend`: told of tokens that were encoded, and of the id of the key that made the job."""
        self._engine = engine
        self._sealer = sealer
        self._options = options
        self._key_days = key_days
        self._open_requests = open_requests
        self._observer = observer
        self._spend = spend
        self._threads = ThreadPoolExecutor(_AT_ONCE + 1, "jobs")
        # One process that reads documents is left to requests, where there are several.
        self._document_places = asyncio.Semaphore(max(1, documents.size - 1))
        self._document_threads = ThreadPoolExecutor(max(1, documents.size - 1), "job-documents")
        self._post = ThreadPoolExecutor(1, "webhooks")  # which wait for the servers of others
        self._webhooks = WebhookSender(engine, sealer, options)
        self._scorer = ChunkScorer(
            runtime, recorder, observer, documents, self._run_beside_requests, self._run_document
        )
        self._prepared: dict[str, asyncio.Task[PreparedJob]] = {}
        self._work_to_do = asyncio.Event()
        self._digest = OncePerMinute(log)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        if self._options.enabled:
            self._tasks = [asyncio.create_task(self._work(), name=f"job-{i}") for i in range(_AT_ONCE)]
            self._tasks.append(asyncio.create_task(self._keep_house(), name="job-upkeep"))
            self._tasks.append(asyncio.create_task(self._send_webhooks(), name="webhooks"))

    def wake(self) -> None:
        """There is something to do: a new job."""
        self._work_to_do.set()

    async def stop(self) -> None:
        """Break off; what was begun is given back, and begun again by another process or after a start."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for prepared in self._prepared.values():
            prepared.cancel()
        self._threads.shutdown(cancel_futures=True)
        self._document_threads.shutdown(cancel_futures=True)
        self._post.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _give_way(self) -> None:
        until = time.monotonic() + _GIVE_WAY_SECONDS
        while self._open_requests.any and time.monotonic() < until:
            await asyncio.sleep(0.01)

    async def _run_beside_requests(self, work: Callable[[], Any]) -> Any:
        await self._give_way()
        return await self._run(work)

    async def _run_document(self, work: Callable[[], Any]) -> Any:
        async with self._document_places:
            await self._give_way()
            return await asyncio.get_running_loop().run_in_executor(self._document_threads, work)

    async def _work(self) -> None:
        while True:
            try:
                lease = await self._run(lambda: leases.claim(self._engine, self._options.lease_seconds))
                if lease is not None:
                    await self._do(lease)
                    continue
                self._work_to_do.clear()
                await _wait_for(self._work_to_do, _POLL_SECONDS)
            except (CapacityError, StoreError) as error:
                self._digest.warning(f"jobs wait: {error.code}")
                await asyncio.sleep(_AFTER_FAILURE_SECONDS)
            except Exception as error:  # the worker must live on; a message could quote a text
                log.error("a step of a job failed: %s", type(error).__name__)
                await asyncio.sleep(_AFTER_BUG_SECONDS)

    async def _keep_house(self) -> None:
        swept = 0.0
        while True:
            try:
                await self._run(lambda: upkeep.end_jobs(self._engine))
                await self._run(lambda: results.finalise(self._engine, self._sealer))
                self._observer.jobs_counted(await self._run(lambda: job_store.statuses(self._engine)))
                if time.monotonic() - swept > _SWEEP_SECONDS:
                    swept = time.monotonic()
                    await self._run(
                        partial(
                            upkeep.sweep,
                            self._engine,
                            results_days=self._options.results_days,
                            key_days=self._key_days,
                        )
                    )
            except (CapacityError, StoreError):
                pass  # the database is away; whoever claims chunks says so
            except Exception as error:
                log.error("upkeep of jobs failed: %s", type(error).__name__)
            await asyncio.sleep(_POLL_SECONDS)

    async def _send_webhooks(self) -> None:
        while True:
            try:
                loop = asyncio.get_running_loop()
                outcome = await loop.run_in_executor(self._post, self._webhooks.send_next)
                if outcome is not None:
                    self._observer.webhook_sent(outcome)
                    continue
            except (CapacityError, StoreError):
                pass  # the database is away: it is due once it is back
            except Exception as error:
                log.error("a webhook failed: %s", type(error).__name__)
            await asyncio.sleep(_POLL_SECONDS)

    async def _do(self, lease: Lease) -> None:
        """Score a leased chunk and keep its results, or give it back."""
        scoring = asyncio.create_task(self._score(lease))
        beat = asyncio.create_task(self._keep_lease(lease, scoring))
        try:
            await asyncio.wait({scoring})
            if not scoring.cancelled() and (error := scoring.exception()) is not None:
                raise error
        except LeaseLostError as error:
            log.warning("%s", error.message)
        except (CapacityError, StoreError) as error:
            self._digest.warning(f"a chunk of a job is given back: {error.code}")
            await self._give_back(lease, _AFTER_FAILURE_SECONDS, counts=False)
        except UnknownJobError:
            pass  # it was cancelled, or expired, and deleted meanwhile
        except Exception as error:
            log.error("chunk %d of job %s failed: %s", lease.number, lease.job_id, type(error).__name__)
            await self._give_back(lease, _AFTER_BUG_SECONDS, counts=True)
        except asyncio.CancelledError:
            scoring.cancel()
            await asyncio.wait({scoring})
            await asyncio.shield(self._give_back(lease, 0.0, counts=False))
            raise
        finally:
            beat.cancel()

    async def _give_back(self, lease: Lease, seconds: float, *, counts: bool) -> None:
        with suppress(CapacityError):  # its lease ends by itself
            await self._run(lambda: leases.release(self._engine, lease, seconds, counts=counts))

    async def _keep_lease(self, lease: Lease, scoring: asyncio.Task[None]) -> None:
        seconds = self._options.lease_seconds
        while True:
            await asyncio.sleep(seconds / 3)
            try:
                await self._run(lambda: leases.renew(self._engine, lease, seconds))
            except LeaseLostError as error:
                log.warning("%s", error.message)
                scoring.cancel()
                return
            except CapacityError:
                continue  # while the database is away nobody else can take it either

    async def _score(self, lease: Lease) -> None:
        started = time.monotonic()
        try:
            rows = await self._run(lambda: self._rows(lease))
            if lease.attempts > self._options.attempts:
                job = await self._run(lambda: job_store.of_worker(self._engine, lease.job_id))
                await self._run(lambda: job_store.begin(self._engine, lease.job_id))
                scored = _abandoned(rows, self._options.attempts)
            else:
                scored, job = await self._scored(lease, rows)
        except (InputError, SealedError, EngineError) as error:
            if isinstance(error, UnknownJobError):
                raise
            # Postings that cannot be read, or a key that is not the one that it was sealed with.
            log.warning("job %s fails: %s", lease.job_id, error.message)
            await self._run(partial(job_store.fail, self._engine, lease.job_id, error))
            return
        await self._run(lambda: results.keep(self._engine, self._sealer, lease, job, scored))
        self._observer.chunk_done(scored.completed, sum(scored.errors.values()), time.monotonic() - started)
        if not await self._run(lambda: self._is_more(lease.job_id)):
            await self._run(lambda: results.finalise(self._engine, self._sealer))

    async def _scored(self, lease: Lease, rows: list[Row]) -> tuple[ScoredChunk, Job]:
        """Score rows, and count the tokens that were encoded for that, also if it fails on the way."""
        job: Job | None = None
        with counting_tokens() as usage:
            try:
                prepared = await self._prepare(lease.job_id)
                job = prepared.job
                chunk = await self._scorer.score(prepared, rows, number=lease.number, first=lease.first)
                return chunk, job
            finally:
                if job is not None and job.api_key is not None and usage.tokens:
                    await asyncio.shield(self._spend(job.api_key, usage.tokens))

    async def _prepare(self, job_id: str) -> PreparedJob:
        """The postings of a job, read once for all chunks that this process scores one after the other."""
        task = self._prepared.get(job_id)
        if task is None:
            task = self._prepared[job_id] = asyncio.create_task(self._read_postings(job_id))
            while len(self._prepared) > _PREPARED:
                oldest = next(iter(self._prepared))
                if not self._prepared[oldest].done():
                    break
                del self._prepared[oldest]
        try:
            return await asyncio.shield(task)
        except BaseException:
            if task.done():
                self._prepared.pop(job_id, None)
            raise

    async def _read_postings(self, job_id: str) -> PreparedJob:
        job = await self._run(lambda: job_store.of_worker(self._engine, job_id))
        postings = await self._run(lambda: job_store.postings_of(self._engine, self._sealer, job_id))
        prepared = await self._scorer.prepare(job, postings)
        await self._run(lambda: job_store.begin(self._engine, job_id))
        return prepared

    def _rows(self, lease: Lease) -> list[Row]:
        with reading(self._engine) as connection:
            query = (
                select(inputs.c.upload, inputs.c.content)
                .join(jobs, jobs.c.upload == inputs.c.upload)
                .where(jobs.c.id == lease.job_id, inputs.c.number == lease.number)
            )
            found = connection.execute(query).first()
        if found is None:
            raise UnknownJobError("the job's input is gone")
        return unpack_rows(self._sealer.open(found.content, owner_of_input(found.upload, lease.number)))

    def _is_more(self, job_id: str) -> bool:
        with reading(self._engine) as connection:
            row = connection.execute(
                select(jobs.c.total - jobs.c.completed - jobs.c.failed).where(jobs.c.id == job_id)
            ).scalar()
        return bool(row)


def _abandoned(rows: list[Row], attempts: int) -> ScoredChunk:
    """Rows that were begun too often. What was recorded of them stands in the decision log all the same."""
    fault = Fault(ChunkAbandonedError.code, f"the service ended {attempts} times while it scored these rows")
    faults = [fault_record(row, row.fault or fault) for row in rows]
    errors: dict[str, int] = {}
    for one in faults:
        errors[one["code"]] = errors.get(one["code"], 0) + 1
    return ScoredChunk([], faults, 0, errors)


async def _wait_for(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
