"""The documents of requests, and texts with marks, read before anything else is done with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter

from anyio import create_task_group

from service.api.disconnects import caller_disconnected
from service.api.schemas.files import FileIn, TextOrFile
from service.api.thread_pools import ThreadPool
from service.core.errors import ErrorCollector, InputError
from service.files.documents.given_texts import may_hold_marks
from service.files.documents.parsed import ParsedDocument, require_text
from service.files.documents.pool import DocumentReader


class RequestDocuments:
    """For one event loop. A request has as many documents read at a time as there are readers.

    It waits with each for its turn, so that another request with one document comes between.
    """

    def __init__(self, reader: DocumentReader) -> None:
        self._reader = reader
        self._threads = ThreadPool(reader.size)

    async def read(self, file: FileIn, field: str) -> ParsedDocument:
        """What a person sees of a document. Raises what `DocumentReader.read` raises."""
        (document,) = await self._run([self._file(file, field)])
        assert document is not None
        return document

    async def fill(self, texts: Sequence[tuple[str, TextOrFile]]) -> list[ParsedDocument | None]:
        """Put the text of each document into its place, and say what was read: None for what is a text.

        A text that is really HTML, RTF, Markdown or JSON is a document, too; so is a job's title, of which
        nothing is said. `texts`: where each stands in the body, as "candidates[3]", and "" for the body
        itself. Raises one error that holds all that is wrong, among it `NoTextLayerError`s.
        """
        reads: list[Callable[[], ParsedDocument | None]] = []
        wanted: list[Callable[[ParsedDocument], None]] = []
        found: list[ParsedDocument | None] = [None] * len(texts)

        def text_of(i: int, one: TextOrFile, document: ParsedDocument) -> None:
            one.set_text(document.text)
            found[i] = document

        def heading_of(one: TextOrFile, document: ParsedDocument) -> None:
            one.set_heading(document.text)

        for i, (where, one) in enumerate(texts):
            before = f"{where}." if where else ""
            if one.file is not None:
                reads.append(self._file(one.file, f"{before}file", require_text))
                wanted.append(partial(text_of, i, one))
            elif may_hold_marks(one.text):
                reads.append(self._text(one.text, f"{before}{one.TEXT_FIELD}"))
                wanted.append(partial(text_of, i, one))
            if one.heading is not None and may_hold_marks(one.heading):
                reads.append(self._text(one.heading, f"{before}title"))
                wanted.append(partial(heading_of, one))
        for document, put in zip(await self._run(reads), wanted, strict=True):
            if document is not None:
                put(document)
        return found

    def _file(
        self, file: FileIn, field: str, check: Callable[[ParsedDocument, str], object] = lambda *_: None
    ) -> Callable[[], ParsedDocument]:
        def read() -> ParsedDocument:
            document = self._reader.read(file.content, field=field, cancelled=caller_disconnected)
            check(document, field)
            return document

        return read

    def _text(self, text: str, field: str) -> Callable[[], ParsedDocument | None]:
        return lambda: self._reader.read_text(text, field=field, cancelled=caller_disconnected)

    async def _run(self, reads: Sequence[Callable[[], ParsedDocument | None]]) -> list[ParsedDocument | None]:
        found: dict[int, ParsedDocument | None] = {}
        refused: dict[int, InputError] = {}
        failures: list[Exception] = []

        def read_one(i: int) -> None:
            try:
                found[i] = reads[i]()
            except InputError as error:
                refused[i] = error

        waiting = iter(range(len(reads)))

        async def read_in_turn() -> None:
            for i in waiting:
                try:
                    await self._threads.run(partial(read_one, i))
                except Exception as error:  # raised below as it is, not as one of a group
                    failures.append(error)
                    group.cancel_scope.cancel()

        async with create_task_group() as group:
            for _ in range(min(self._reader.size, len(reads))):
                group.start_soon(read_in_turn)
        if failures:
            raise failures[0]
        errors = ErrorCollector()
        for _, error in sorted(refused.items(), key=itemgetter(0)):
            with errors:
                raise error
        errors.raise_any()
        return [found[i] for i in range(len(reads))]
