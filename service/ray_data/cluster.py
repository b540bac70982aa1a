"""All that is Ray's: the connection, the pipeline of readers and model actors, and what its errors mean."""

from __future__ import annotations

import logging
import math
import os
import pickle  # nosec B403
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from service.core.errors import ClusterError, ConfigurationError, EvenmatchError
from service.files.postings import Posting
from service.ray_data.blocks import Block, Fault, blocks_of_documents, blocks_of_table, file_of_block
from service.ray_data.inputs import InputFile, Inspection, TableColumns, inspect
from service.ray_data.worker import BlockDone, BlockScorer, PreparedPostings, Scoring, prepare_postings
from service.runtime.devices import usable_cores
from service.runtime.numpy_threads import keep_numpy_to_one_thread

_LOCAL_STORE_BYTES = 512 * 2**20
"""Of shared memory, where a cluster is started for the run: some dozen blocks."""

_TASK_RETRIES = 3
"""How often a block is tried again whose worker died, before the run gives up."""

_FILES_A_TASK = 16

_DEATHS = ("OutOfMemoryError", "WorkerCrashedError", "ActorDiedError", "ActorUnavailableError")


@dataclass(frozen=True, slots=True)
class Workers:
    """`count`: None takes as many as the cluster has room for. `address`: None takes `RAY_ADDRESS`."""

    count: int | None = None
    cpus: int = 1
    gpus: float = 0.0
    address: str | None = None


class Cluster:
    """A connection to Ray. Made by `connected`."""

    def __init__(self, ray: Any, workers: Workers) -> None:
        self._ray = ray
        self._workers = workers
        self.workers = workers.count or self._fitting()

    def inspect(self, files: Sequence[InputFile], wanted: TableColumns) -> list[Inspection]:
        """How each table is to be read."""
        task = self._ray.remote(num_cpus=1)(_inspect)
        parts = [files[i : i + _FILES_A_TASK] for i in range(0, len(files), _FILES_A_TASK)]
        with _told():
            found = self._ray.get([task.remote(part, wanted) for part in parts])
        return [one for part in found for one in part]

    def prepare(self, scoring: Scoring, postings: Sequence[Posting]) -> PreparedPostings:
        """Postings with their vectors, made by one worker, whose process ends then."""
        task = self._ray.remote(
            num_cpus=self._workers.cpus, num_gpus=self._workers.gpus, max_calls=1, max_retries=_TASK_RETRIES
        )(prepare_postings)
        with _told():
            prepared: PreparedPostings = self._ray.get(
                task.remote(scoring, list(postings), self._workers.cpus)
            )
        return prepared

    def score(
        self,
        scoring: Scoring,
        prepared: PreparedPostings,
        inputs: Sequence[Inspection] | Sequence[InputFile],
        *,
        rows: int,
        finished: frozenset[str],
        run: str | None,
    ) -> Iterator[BlockDone | Fault]:
        """What became of each block, as they are done, and of each file that could not be read to its end."""
        import ray.data

        sources = list(_sources(inputs, finished))
        if not sources:
            return
        with _told():
            shared = self._ray.put((scoring, prepared, self._workers.cpus, run))
            given = ray.data.from_arrow([_column("source", one) for one in sources])
            # Else what one task reads goes on as one block of up to 128 MiB, and one worker scores all of it.
            given.context.target_max_block_size = 1
            blocks = given.map_batches(
                _read,
                batch_size=1,
                batch_format="pyarrow",
                fn_kwargs={"rows": rows},
                # It waits for a worker most of the time; with a CPU of its own a worker would not have one.
                num_cpus=0,
                concurrency=max(1, math.ceil(self.workers / 4)),
            )
            with warnings.catch_warnings():
                # Nothing else says how often an actor's task is tried again (pyproject.toml has a limit).
                warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated")
                scored = blocks.map_batches(
                    _Worker,
                    batch_size=1,
                    batch_format="pyarrow",
                    fn_constructor_kwargs={"shared": [shared]},
                    compute=ray.data.ActorPoolStrategy(size=self.workers, max_tasks_in_flight_per_actor=2),
                    num_cpus=self._workers.cpus,
                    num_gpus=self._workers.gpus or None,
                    max_restarts=-1,
                    max_task_retries=_TASK_RETRIES,
                )
            for row in scored.iter_rows():
                # Pickled by ourselves, as all that is unpickled here, within a cluster that runs our code.
                result: BlockDone | Fault = pickle.loads(row["done"])  # nosec B301
                yield result

    def _fitting(self) -> int:
        """As many workers as the cluster has room for."""
        there = self._ray.cluster_resources()
        fitting = int(there.get("CPU", 1) // self._workers.cpus)
        if self._workers.gpus:
            fitting = min(fitting, int(there.get("GPU", 0) / self._workers.gpus))
        if fitting < 1:
            raise ClusterError(
                f"no worker fits: each takes {self._workers.cpus} CPUs and {self._workers.gpus:g} GPUs, the "
                f"cluster has {there.get('CPU', 0):g} and {there.get('GPU', 0):g}"
            )
        return fitting


@contextmanager
def connected(workers: Workers) -> Iterator[Cluster]:
    """Ray: that of this process if it runs, a cluster by `address` or `RAY_ADDRESS`, or one of this machine.

    What was started here is stopped again. Raises `ConfigurationError` without the extra `ray`,
    `ClusterError` if the cluster is not reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Starting takes long where cores are busy, and nobody waits for a run of hours to begin.
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "600")
    os.environ.setdefault("RAY_agent_register_timeout_ms", "600000")
    try:
        import ray
        import ray.data
    except ImportError:
        raise ConfigurationError("scoring with Ray needs it: pip install 'evenmatch[ray]'") from None
    _quiet(ray)
    if ray.is_initialized():
        yield Cluster(ray, workers)
        return
    address = workers.address or os.environ.get("RAY_ADDRESS")
    if address and address.startswith("ray://"):
        raise ConfigurationError(
            f"{address} is an address of Ray Client, which Ray Data does not run under: start the command on "
            "a machine of the cluster, as `ray job submit` does"
        )
    folder = None
    try:
        if address and address != "local":
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        else:
            # Ray spills what does not fit into memory, resumes among it: nobody else shall read that.
            # Its sockets need a short path.
            short = "/tmp" if os.path.isdir("/tmp") else None  # nosec B108
            folder = tempfile.mkdtemp(prefix="em-ray-", dir=short)
            cpus = max(usable_cores(), (workers.count or 1) * workers.cpus)
            ray.init(
                address="local",
                num_cpus=cpus,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                object_store_memory=_LOCAL_STORE_BYTES,
                _temp_dir=folder,
            )
    except (
        Exception
    ) as error:  # ConnectionError, RuntimeError, ValueError or Exception itself, by what is wrong
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        if any("InvalidAuthToken" in str(one) for one in _causes(error)):
            raise ClusterError(
                f"Ray at {address} takes nobody without its token: set RAY_AUTH_MODE=token, and "
                "RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH unless the token stands in ~/.ray/auth_token"
            ) from error
        raise ClusterError(
            f"Ray {f'at {address} is not reached' if address else 'does not start'}: {_first_line(error)}"
        ) from error
    try:
        yield Cluster(ray, workers)
    finally:
        with suppress(Exception):
            ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _quiet(ray: Any) -> None:
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    # A row is a whole block: each goes on by itself, so that few of them wait.
    context.target_max_block_size = 2**20
    context.target_min_block_size = 1
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what Ray raises into what it means."""
    try:
        yield
    except Exception as error:
        chain = list(_causes(error))
        ours = next((one for one in reversed(chain) if isinstance(one, EvenmatchError)), None)
        if ours is not None:
            raise ours from None
        if not any(_is_rays(one) for one in chain):
            raise
        died = next((type(one).__name__ for one in chain if type(one).__name__ in _DEATHS), None)
        if died is not None:
            raise ClusterError(
                f"workers died again and again ({died}), most often since they are out of memory: take fewer "
                "workers a machine, or smaller blocks into another folder; finished blocks are kept"
            ) from error
        raise ClusterError(
            f"the cluster failed or went away ({type(error).__name__}: {_first_line(error)}); "
            "finished blocks are kept"
        ) from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it comes from; an error of a worker is the `cause` of Ray's own."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        further = (getattr(one, "cause", None), one.__cause__, one.__context__)
        waiting += [another for another in further if isinstance(another, BaseException)]


def _is_rays(error: BaseException) -> bool:
    return type(error).__module__.startswith("ray") or isinstance(error, ConnectionError | SystemError)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _inspect(files: Sequence[InputFile], wanted: TableColumns) -> list[Inspection]:
    return [inspect(file, wanted) for file in files]


def _sources(inputs: Sequence[Inspection] | Sequence[InputFile], finished: frozenset[str]) -> Iterator[bytes]:
    """What one reader reads: a table, or all documents; with the names of the blocks that are done."""
    documents = [one for one in inputs if isinstance(one, InputFile)]
    if documents:
        yield pickle.dumps((documents, finished))
    of_files: dict[int, set[str]] = {}
    for name in finished:
        of_files.setdefault(file_of_block(name), set()).add(name)
    for one in inputs:
        if isinstance(one, Inspection):
            yield pickle.dumps((one, of_files.get(one.file.number, set())))


def _read(batch: Any, *, rows: int) -> Iterator[Any]:
    """Blocks of one source, each a row; Ray takes the next one when there is room for it."""
    for data in batch["source"].to_pylist():
        source, finished = pickle.loads(data)  # nosec B301
        if isinstance(source, Inspection):
            blocks: Iterator[Block | Fault] = blocks_of_table(source, rows, finished)
        else:
            blocks = blocks_of_documents(source, rows, finished)
        for block in blocks:
            yield _column("block", pickle.dumps(block))


class _Worker:
    """An actor with the model on its device. It loads with its first block: what is wrong is told then."""

    def __init__(self, shared: Sequence[Any]) -> None:
        self._shared = shared
        self._scorer: BlockScorer | None = None

    def __call__(self, batch: Any) -> Any:
        (data,) = batch["block"].to_pylist()
        block = pickle.loads(data)  # nosec B301
        return _column("done", pickle.dumps(self._score(block)))

    def _score(self, block: Block | Fault) -> BlockDone | Fault:
        if isinstance(block, Fault):
            return block
        if self._scorer is None:
            import ray

            keep_numpy_to_one_thread()
            scoring, prepared, threads, run = ray.get(self._shared[0])
            self._scorer = BlockScorer(scoring, prepared, threads=threads, run=run)
        return self._scorer.score(block)


def _column(name: str, value: bytes) -> Any:
    """A table of one row: a block is pickled, since what is in it differs by kind."""
    import pyarrow

    return pyarrow.table({name: pyarrow.array([value], pyarrow.large_binary())})
