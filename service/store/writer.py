"""The one thread of a process that writes decisions: to the database, or to the spool while that is away.

Requests only put decisions into the queue. One thread writes them, many in one commit, so no request pays for
a commit of its own, and decisions are stored in the order in which they came.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from service.core.errors import ConfigurationError, StoreDownError, StoreError
from service.store.decisions import Answer, Decision
from service.store.log import Appended, DecisionLog
from service.store.spool import Spool
from service.store.write_queue import Submission, WriteQueue

log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.25
"""How long decisions gather before a commit, unless an answer waits for it."""

QUEUE_LIMIT = 20_000
_BATCH = 2_000
_RETRY_SECONDS = 1.0
_RETRY_AFTER = 5
_NOWHERE = "decisions can be recorded neither in the database nor on disk"

Policy = Literal["refuse", "spool"]
State = Literal["ok", "spooling", "down"]


class StoreObserver:
    """What the store reports; this one ignores it all, and `service.metrics` counts it.

    Called from the writer's thread and from request threads: implementations must be thread-safe.
    """

    def decisions_stored(self, decisions: int) -> None:
        """`decisions` more are in the database."""

    def store_failed(self) -> None:
        """An attempt to write to the database or to the spool failed."""

    def store_lost(self) -> None:
        """The database's file was deleted or replaced: until a restart, nothing is written there."""

    def store_queue_changed(self, decisions: int) -> None:
        """`decisions` now wait in memory."""

    def spool_changed(self, decisions: int) -> None:
        """`decisions` now wait on disk."""


class Writer:
    """`state`: `ok`, decisions go to the database; `spooling`, to disk; `down`, none can be taken.

    In every state acknowledged decisions are kept: in the database, else in the spool, else in memory, from
    where they are tried again. They never overtake each other: as long as older ones wait in the spool or in
    memory, newer ones go behind them.
    """

    def __init__(
        self,
        decision_log: DecisionLog,
        spool: Spool,
        policy: Policy,
        observer: StoreObserver,
        on_failure: Callable[[], None],
    ) -> None:
        """`on_failure` is called when the database fails; `database_is_back` is expected some time later."""
        self._log = decision_log
        self._spool = spool
        self._policy = policy
        self._observer = observer
        self._on_failure = on_failure
        self._queue = WriteQueue(QUEUE_LIMIT, observer.store_queue_changed)
        self._thread = threading.Thread(target=self._run, name="decision-writer", daemon=True)
        self._held: list[Decision] = []  # acknowledged, but neither database nor disk takes them
        # Set by the watch of the database too, and read by request threads, without a lock: each is a single
        # value, and whoever acts on an old one finds out when the database or the disk refuses.
        self._connected = False
        self._in_hand: Sequence[Submission] = ()
        self._disk_failed = False
        self._disk_reason = ""
        self._died = False

    @property
    def state(self) -> State:
        if self._connected and not self._spool.decisions and not self._held and not self._died:
            return "ok"
        return "down" if self._refusal() else "spooling"

    @property
    def connected(self) -> bool:
        """Whether the database took what it was last given."""
        return self._connected

    def start(self) -> None:
        """Take over spools of dead processes and start the thread."""
        try:
            self._spool.open()
            self._spool.probe()
        except OSError as error:
            # Not an error yet: only if the database is away too, no decision may be made.
            self._disk_failed, self._disk_reason = True, f": {error.strerror}"
            log.warning("the spool cannot be used: %s", error.strerror)
        self._observer.spool_changed(self._spool.decisions)
        self._thread.start()

    def check(self) -> None:
        """Raise `StoreDownError` if a decision made now could not be kept."""
        if refusal := self._refusal():
            raise StoreDownError(refusal, retry_after=_RETRY_AFTER)

    def submit(self, submission: Submission) -> None:
        """Queue decisions; `submission.safe` is done when they are kept, or ends in `StoreDownError`.

        Sets `waiting` unless the state is `ok`. Raises what `check` and `WriteQueue.put` raise.
        """
        self.check()
        submission.waiting |= self.state != "ok"
        self._queue.put(submission)
        # The thread may have died after `check`, and emptied the queue before this submission was in it.
        if self._died:
            self._fail_all()

    def database_is_back(self) -> None:
        """Write to the database again, what waits in the spool first."""
        self._connected = True
        self._queue.wake()

    def database_is_lost(self) -> None:
        """Write to the spool until `database_is_back`."""
        self._connected = False
        self._queue.wake()

    def stop(self, timeout: float) -> bool:
        """Keep all that was submitted, then end; False if that took longer than `timeout` seconds."""
        self._queue.close()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _refusal(self) -> str | None:
        if self._died:
            return "the thread that records decisions died; the service must be restarted"
        if self._policy == "refuse" and not self._connected:
            return "the database of decisions is away"
        needs_disk = not self._connected or self._spool.decisions > 0
        if self._held or (self._disk_failed and needs_disk):
            return f"{_NOWHERE}{self._disk_reason if self._disk_failed else ''}"
        return None

    def _run(self) -> None:
        try:
            while (batch := self._queue.take(self._patience(), FLUSH_SECONDS, _BATCH)) is not None:
                self._in_hand = batch
                self._try_again()
                self._keep(batch)
                self._in_hand = ()
                self._replay()
            self._try_again()
            if self._held:
                log.critical("%d acknowledged decisions could not be kept anywhere", len(self._held))
        except BaseException as error:
            log.critical("the thread that records decisions died of %s", type(error).__name__)
            # First of all: whoever submits after the queue is emptied below sees it, and empties it again.
            self._died = True
            _refuse(self._in_hand)
            self._fail_all()
            raise
        finally:
            self._spool.close()

    def _patience(self) -> float | None:
        """Seconds until there is something to do even if nothing arrives."""
        if self._held or self._disk_failed:
            return _RETRY_SECONDS
        return 0.0 if self._connected and self._spool.decisions else None

    def _keep(self, batch: Sequence[Submission]) -> None:
        if not batch:
            return
        decisions = [decision for submission in batch for decision in submission.decisions]
        # Only if nothing older waits: it must be stored first.
        if not self._spool.decisions and not self._held and (appended := self._store(decisions)):
            _settle(batch, appended.answers)
            return
        if self._policy == "refuse" and not self._connected:
            # Those whose answers still wait were never acknowledged and can be refused. The others are kept.
            _refuse([submission for submission in batch if submission.waiting])
            batch = [submission for submission in batch if not submission.waiting]
            decisions = [decision for submission in batch for decision in submission.decisions]
        if not self._held and (answers := self._spool_out(decisions)) is not None:
            _settle(batch, answers)
            return
        _refuse([submission for submission in batch if submission.waiting])
        for submission in batch:
            if not submission.waiting:
                self._held += submission.decisions

    def _try_again(self) -> None:
        """Try to store what is held in memory; without any, see whether the disk takes something again."""
        if self._held:
            stored = not self._spool.decisions and self._store(self._held)
            if stored or self._spool_out(self._held) is not None:
                self._held = []
        elif self._disk_failed:
            try:
                self._spool.probe()
                self._disk_failed = False
            except OSError as error:
                self._spool_failed(error)

    def _replay(self) -> None:
        """Move one batch from the spool to the database."""
        if not self._connected or not self._spool.decisions:
            return
        try:
            appended = self._store(self._spool.oldest(_BATCH))
            if appended is None:
                return
            self._spool.drop_oldest()
        except OSError as error:
            self._spool_failed(error)
            return
        self._observer.spool_changed(self._spool.decisions)
        if appended.left_out:
            log.warning(
                "%d decisions of the spool were left out: other ones stand under their Idempotency-Key",
                appended.left_out,
            )
        if not self._spool.decisions:
            log.info("the spool is empty again: all decisions are in the database")

    def _store(self, decisions: Sequence[Decision]) -> Appended | None:
        """What became of them in the database; None if it is away."""
        if not self._connected:
            return None
        try:
            appended = self._log.append(decisions)
        except (StoreError, ConfigurationError) as error:
            self._connected = False
            self._observer.store_failed()
            log.error("decisions cannot be stored: %s", error.message)
            self._log.disconnect()
            self._on_failure()
            return None
        self._observer.decisions_stored(appended.stored)
        return appended

    def _spool_out(self, decisions: Sequence[Decision]) -> Mapping[str, Answer] | None:
        """The answers that count, by key; None if the disk takes nothing."""
        if not decisions:
            return {}
        try:
            answers = self._spool.append(decisions)
        except OSError as error:
            self._spool_failed(error)
            return None
        self._disk_failed = False
        self._observer.spool_changed(self._spool.decisions)
        return answers

    def _spool_failed(self, error: OSError) -> None:
        if not self._disk_failed:
            log.error("the spool cannot be used: %s", error.strerror)
        self._disk_failed, self._disk_reason = True, f": {error.strerror}"
        self._observer.store_failed()

    def _fail_all(self) -> None:
        self._queue.close()
        while batch := self._queue.take(0, 0, _BATCH):
            _refuse(batch)


def _settle(batch: Sequence[Submission], answers: Mapping[str, Answer]) -> None:
    for submission in batch:
        submission.safe.set_result(submission.earlier(answers))


def _refuse(batch: Sequence[Submission]) -> None:
    for submission in batch:
        if not submission.safe.done():
            submission.safe.set_exception(StoreDownError(_NOWHERE, retry_after=_RETRY_AFTER))
