"""The documents of requests, read by other processes, before anything else is done with their texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter

from anyio import create_task_group

from service.api.disconnects import caller_disconnected
from service.api.schemas.files import FileIn, TextOrFile
from service.api.thread_pools import ThreadPool
from service.core.errors import ErrorCollector, InputError
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
        return (await self._read([(field, file)], lambda document, field: None))[0]

    async def fill(self, texts: Sequence[tuple[str, TextOrFile]]) -> list[ParsedDocument | None]:
        """Put the text of each document into its place, and say what was read: None for what is a text.

        `texts`: where each stands in the body, as "candidates[3]", and "" for the body itself. Raises one
        error that holds all that is wrong, among it `NoTextLayerError`s.
        """
        files = [
            (f"{where}.file" if where else "file", one.file) for where, one in texts if one.file is not None
        ]
        documents = iter(await self._read(files, require_text))
        found: list[ParsedDocument | None] = []
        for _, one in texts:
            document = None if one.file is None else next(documents)
            if document is not None:
                one.set_text(document.text)
            found.append(document)
        return found

    async def _read(
        self, files: Sequence[tuple[str, FileIn]], check: Callable[[ParsedDocument, str], object]
    ) -> list[ParsedDocument]:
        found: dict[int, ParsedDocument] = {}
        refused: dict[int, InputError] = {}
        failures: list[Exception] = []

        def read_one(i: int, field: str, file: FileIn) -> None:
            try:
                document = self._reader.read(file.content, field=field, cancelled=caller_disconnected)
                check(document, field)
                found[i] = document
            except InputError as error:
                refused[i] = error

        waiting = iter(enumerate(files))

        async def read_in_turn() -> None:
            for i, (field, file) in waiting:
                try:
                    await self._threads.run(partial(read_one, i, field, file))
                except Exception as error:  # raised below as it is, not as one of a group
                    failures.append(error)
                    group.cancel_scope.cancel()

        async with create_task_group() as group:
            for _ in range(min(self._reader.size, len(files))):
                group.start_soon(read_in_turn)
        if failures:
            raise failures[0]
        errors = ErrorCollector()
        for _, error in sorted(refused.items(), key=itemgetter(0)):
            with errors:
                raise error
        errors.raise_any()
        return [found[i] for i in range(len(files))]
