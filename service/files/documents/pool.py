"""Documents are read by processes of their own, so that no file can take down or hold up the service."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from typing import Literal, Protocol, TypeVar

from pydantic import Field

from service.core.errors import DocumentTooCostlyError, EvenmatchError, InputError
from service.core.text_reader import Cancelled, never
from service.files.documents.given_texts import read_plainly
from service.files.documents.kinds import kind_of_start
from service.files.documents.ocr import check_program
from service.files.documents.parsed import DocumentLimits, ParsedDocument
from service.files.documents.parsers import check_size
from service.files.documents.process import ParseTask
from service.runtime.process_pool import ProcessPool, WorkerDiedError
from service.runtime.worker_process import OUT_OF_MEMORY, Bug

log = logging.getLogger(__name__)

Known = TypeVar("Known", bound=EvenmatchError)

_TRIES = 2
"""Workers that may die of one document by something else than its limits, before it is refused."""


DocumentOutcome = Literal["read", "refused", "failed"]
"""Of one document. `failed`: it could not be read now, which is not its fault."""


class DocumentsObserver(Protocol):
    """Told what became of each document, by any thread."""

    def document_read(self, outcome: DocumentOutcome) -> None: ...


class DocumentOptions(DocumentLimits):
    """The limits of documents, and who reads them."""

    document_readers: int = Field(
        2, ge=1, le=64, description="Processes that read documents, each started when it is needed."
    )


class DocumentReader:
    """`size` processes that read documents, each started when it is first needed. Thread-safe.

    `stall_seconds`: time without any CPU time used after which a process is taken for hanging, and is
    replaced.
    """

    def __init__(
        self,
        limits: DocumentLimits | None = None,
        *,
        size: int = 1,
        stall_seconds: float = 120.0,
        observer: DocumentsObserver | None = None,
    ) -> None:
        """Raises `ConfigurationError` if OCR is on and its program is not there."""
        self.limits = limits or DocumentLimits()
        self.size = size
        self._observer = observer
        if self.limits.ocr:
            check_program()
        self._pool: ProcessPool[ParseTask, ParsedDocument | None] = ProcessPool(
            "service.files.documents.process",
            [str(self.limits.document_memory_mib)],
            purpose="reads documents",
            size=size,
            stall_seconds=stall_seconds,
        )

    @property
    def pids(self) -> list[int]:
        """The processes that live."""
        return self._pool.pids

    def warm_up(self) -> None:
        """Start a process and wait until it can read. Raises `ReaderDownError` if none starts."""
        self._pool.warm_up()

    def stop(self) -> None:
        """End the processes, those at work too, and read no more."""
        self._pool.stop()

    def read(self, data: bytes, *, field: str, cancelled: Cancelled = never) -> ParsedDocument:
        """What a reader sees of a document. `field` names it in errors, as "candidates[3].file".

        Raises a `DocumentError` that says what is wrong with it (`NestedArchiveError` for a ZIP archive),
        among them `DocumentTooCostlyError` if it takes more CPU time or memory than it may or ends two
        processes; `CallerGoneError` if `cancelled` says so, `ReaderDownError` and `ShuttingDownError` if
        nothing can be read now.
        """
        document = self._observed(lambda: self._read(data, field, cancelled))
        assert document is not None
        return document

    def read_text(self, text: str, *, field: str, cancelled: Cancelled = never) -> ParsedDocument | None:
        """What a reader sees of a text that is really HTML, RTF, Markdown or JSON; None if it is a text.

        Whether it is, is found out here, in time that grows with its length; only what takes a parser goes to
        a process. One with more characters than a document may have stays as it is. Raises as `read`.
        """
        if len(text) > self.limits.max_document_characters:
            return None
        found = read_plainly(text)
        if found != "parser":
            return found
        return self._observed(lambda: self._read(text, field, cancelled))

    def _observed(self, read: Callable[[], ParsedDocument | None]) -> ParsedDocument | None:
        try:
            document = read()
        except EvenmatchError as error:
            self._tell("refused" if isinstance(error, InputError) else "failed")
            raise
        self._tell("read")
        return document

    def _tell(self, outcome: DocumentOutcome) -> None:
        if self._observer is not None:
            self._observer.document_read(outcome)

    def _read(self, content: bytes | str, field: str, cancelled: Cancelled) -> ParsedDocument | None:
        try:
            if isinstance(content, bytes):
                check_size(content, self.limits)
            reply = self._ask(content, cancelled)
        except EvenmatchError as error:
            raise about_field(error, field) from None
        if isinstance(reply, EvenmatchError):
            raise about_field(reply, field)
        if reply == OUT_OF_MEMORY:
            raise about_field(self._out_of_memory(), field)
        if isinstance(reply, Bug):
            raise about_field(self._ended(f"{_kind(content)}, raised {reply.kind}"), field)
        return reply

    def _ask(
        self, content: bytes | str, cancelled: Cancelled
    ) -> ParsedDocument | EvenmatchError | Bug | None:
        limits = self.limits
        # Tesseract runs in a process of its own; preparing its images is on this account.
        seconds = limits.document_cpu_seconds + (limits.ocr_cpu_seconds if limits.ocr else 0.0)
        task = ParseTask(content, limits, seconds)
        for attempt in range(1, _TRIES + 1):
            try:
                return self._pool.ask(task, cancelled)
            except WorkerDiedError as error:
                if error.status == -signal.SIGPROF:
                    log.warning(
                        "a document of %d bytes is refused: more than %g s of CPU time", len(content), seconds
                    )
                    return DocumentTooCostlyError(
                        f"reading the document took more than {seconds:g} s of CPU time",
                        limit=round(seconds),
                        actual=round(seconds),
                    )
                if attempt == _TRIES:
                    return self._ended(f"ended its reader twice (status {error.status})")
        raise AssertionError  # the loop returns

    def _out_of_memory(self) -> DocumentTooCostlyError:
        most = self.limits.document_memory_mib
        return DocumentTooCostlyError(
            f"reading the document takes more than {most:,} MiB of memory", limit=most, actual=most
        )

    def _ended(self, how: str) -> DocumentTooCostlyError:
        log.warning("a document is refused: %s", how)
        return DocumentTooCostlyError(
            "the document cannot be read: its reader ended over it, out of memory or over damage in the file"
        )


def _kind(content: bytes | str) -> str:
    return kind_of_start(content) if isinstance(content, bytes) else "text with marks"


def about_field(error: Known, field: str) -> Known:
    """The same error, with the name of the input that it is about."""
    error.field = field
    about = error.message.replace("the document", field, 1)
    error.message = about if about != error.message else f"{field}: {about}"
    error.args = (error.message,)
    return error
