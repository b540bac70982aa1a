"""What the API calls to record decisions and to know whether they are safe."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from service.core.errors import ConfigurationError, StoreError
from service.core.tenants import DEFAULT_TENANT
from service.store.chain import LogKey, load_key
from service.store.decisions import Answer, Decision, KeyedRequest
from service.store.idempotency import RecentAnswers, find_answer, keyed_request
from service.store.log import DecisionLog
from service.store.recovery import DatabaseWatch, open_and_recover
from service.store.retention import MAX_DAYS, SIX_MONTHS_DAYS
from service.store.score_index import warn_of_missing
from service.store.spool import Spool
from service.store.sqlite import sqlite_url
from service.store.transactions import brief
from service.store.write_queue import Submission
from service.store.writer import Policy, State, StoreObserver, Writer
from service.tracing import span

log = logging.getLogger(__name__)

DATABASE_FILE = "decisions.sqlite"
SPOOL_FOLDER = "spool"
_STOP_SECONDS = 60.0
_WATCH_STOP_SECONDS = 5.0
"""Nothing is lost if the watch is cut off: its transaction is rolled back, and done by the next start."""

_LOOKUP_SECONDS = 2.0
_LOOKUP_THREADS = 2


def _at_home(path: Path) -> Path:
    """With the user's home for `~`; as it is where there is none, as in a container with a random user id."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


class StoreOptions(BaseModel):
    """Where decisions are kept, for how long, and what happens while the database is away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_dir: Annotated[Path, AfterValidator(_at_home)] = Field(
        Path("~/.evenmatch"),
        validate_default=True,
        description="Folder for what the service writes: converted models, decisions, the log's key.",
    )
    database_url: str = Field(
        "",
        repr=False,
        description="Where decisions are kept (docs/decision-log.md): a `sqlite:///` or `postgresql://` URL; "
        "empty: a SQLite file in `data_dir`.",
    )
    database_seconds: float = Field(
        10.0,
        ge=1,
        le=60,
        description="Longest that decisions wait for the database (a lock, a server that does not answer) "
        "before they go to the spool; one question to PostgreSQL may take six times as long.",
    )
    durable: bool = Field(
        True,
        description="Answer `/v1/score` only after its decisions are committed or on disk; `false`: a crash "
        "loses the last ones.",
    )
    on_failure: Policy = Field(
        "spool",
        description="While the database is away, keep decisions on disk or refuse to make any.",
    )
    retention_days: int = Field(
        200,
        ge=SIX_MONTHS_DAYS,
        le=MAX_DAYS,
        description="Days after which decisions are purged; six months at least.",
    )
    log_key: SecretStr = Field(
        SecretStr(""),
        description="Secret of the decision log's hash chain; empty: made once, in a file in `data_dir`.",
    )

    @property
    def url(self) -> str:
        """The database's URL, that of the SQLite file where no other is set."""
        return self.database_url or sqlite_url(self.data_dir / DATABASE_FILE)

    def open_log(self, *, create_key: bool = False) -> DecisionLog:
        """The log, not yet connected to. Raises `ConfigurationError` if there is no key or URL to use."""
        return DecisionLog(
            self.url,
            load_key(self.log_key.get_secret_value(), self.data_dir, create=create_key),
            timeout=self.database_seconds,
        )


class Recorder:
    """The decision log of one process, made by `open_recorder`. `start` before use, `stop` after."""

    def __init__(
        self, decision_log: DecisionLog, spool: Spool, writer: Writer, watch: DatabaseWatch, *, durable: bool
    ) -> None:
        self._log = decision_log
        self._spool = spool
        self._writer = writer
        self._watch = watch
        self._durable = durable
        self._recent = RecentAnswers()
        self._lookups = ThreadPoolExecutor(_LOOKUP_THREADS, "answer-lookup")

    @property
    def state(self) -> State:
        return self._writer.state

    @property
    def log_key(self) -> LogKey:
        """The log's key, under which other digests are made too."""
        return self._log.key

    def start(self) -> None:
        """Take over what earlier processes spooled, and start the threads."""
        self._writer.start()
        self._watch.start(self._writer)

    def stop(self) -> None:
        """Keep all that was recorded, then end."""
        if not self._writer.stop(_STOP_SECONDS):
            log.critical("decisions still wait to be recorded after %d seconds", _STOP_SECONDS)
        self._watch.stop(_WATCH_STOP_SECONDS)
        # A lookup that is running has a connection, and ends within the database's time limit.
        self._lookups.shutdown(cancel_futures=True)
        self._log.close()

    def check(self) -> None:
        """Raise `StoreDownError` if a decision made now could not be kept: before any work is done for it."""
        self._writer.check()

    def check_ready(self) -> None:
        """As `check`, and raise `StoreError` if the database's file was deleted, replaced or is damaged."""
        self._writer.check()
        self._log.check()

    def keyed_request(self, route: str, key: str, body: bytes, tenant: str = DEFAULT_TENANT) -> KeyedRequest:
        """A tenant's request with an `Idempotency-Key`; `body` is the same whenever the same is asked."""
        return keyed_request(self._log.key, route, key, body, tenant)

    async def earlier(self, request: KeyedRequest) -> Answer | None:
        """The answer that was given under this key before, if it can be found within two seconds.

        This only saves the work of scoring again: if there is one and it is not found, `record` returns it.
        """
        lookup = self._lookups.submit(self._find, request.key)
        try:
            async with asyncio.timeout(_LOOKUP_SECONDS):
                return await asyncio.wrap_future(lookup)
        except TimeoutError:
            return None

    async def record(self, decisions: Sequence[Decision]) -> Answer | None:
        """Take over the decisions of one request, which may be answered when this returns.

        In durable mode, while the database is away, and for a request with a key, it returns when they are
        committed or on disk. If another request with the same key came first, it returns that one's answer.

        Raises `StoreDownError` if they cannot be kept. Then, or if there is another answer, none of them
        counts as made.
        """
        keyed = decisions[0].keyed if decisions else None
        submission = Submission(tuple(decisions), waiting=self._durable or keyed is not None)
        if keyed is not None and keyed.answer is not None:
            submission.safe.add_done_callback(partial(self._remember, keyed.answer))
        self._writer.submit(submission)
        if submission.waiting:
            # Shielded: a caller that hangs up cancels this, and the future is the writer's to finish.
            with span("evenmatch.store", decisions=len(decisions)):
                return await asyncio.shield(asyncio.wrap_future(submission.safe))
        return None

    def _find(self, key: str) -> Answer | None:
        try:
            # In this order: an answer is in the database before it leaves the spool, so it is never missed.
            answer = self._recent.get(key) or self._spool.answer(key)
            if answer is None and self._writer.connected:
                with brief(self._log.engine), self._log.reading() as connection:
                    answer = find_answer(connection, key, datetime.now(UTC))
        except (StoreError, OSError):
            return None  # `record` will find it, if there is one
        return answer if answer is not None and answer.holds_at(datetime.now(UTC)) else None

    def _remember(self, answer: Answer, safe: Future[Answer | None]) -> None:
        if not safe.cancelled() and safe.exception() is None:
            self._recent.put(safe.result() or answer)


def open_recorder(options: StoreOptions, observer: StoreObserver | None = None) -> Recorder:
    """A recorder with its database opened and migrated.

    A database that is away is treated like one that goes away later. Raises `ConfigurationError` for settings
    that cannot be right, such as a key other than the log's.
    """
    observer = observer or StoreObserver()
    decision_log = options.open_log(create_key=True)
    watch = DatabaseWatch(decision_log, timedelta(days=options.retention_days), observer)
    spool = Spool(options.data_dir / SPOOL_FOLDER, decision_log.key)
    writer = Writer(decision_log, spool, options.on_failure, observer, watch.wake)
    try:
        open_and_recover(decision_log)
        warn_of_missing(decision_log.engine)
        writer.database_is_back()
    except StoreError as error:
        observer.store_failed()
        log.error("the decision log is out of reach: %s", error.message)
    except ConfigurationError:
        decision_log.close()
        raise
    return Recorder(decision_log, spool, writer, watch, durable=options.durable)
