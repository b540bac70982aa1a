"""The process that reads documents, one at a time. Started by `service.files.documents.pool`.

Memory is bounded by the kernel (`RLIMIT_AS`): what a document needs beyond its limit is not given, and
whether that ends in an error of Python or in the end of the process, only this document is refused.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from dataclasses import dataclass

from service.files.documents.given_texts import read_given_text
from service.files.documents.parsed import DocumentLimits, ParsedDocument
from service.files.documents.parsers import parse_document
from service.runtime.worker_process import serve


@dataclass(frozen=True, slots=True)
class ParseTask:
    """One document: its bytes, or a text that may be HTML and the like.

    `cpu_seconds`: user and system time together, above which the process ends.
    """

    content: bytes | str
    limits: DocumentLimits
    cpu_seconds: float

    def __repr__(self) -> str:
        return "ParseTask(...)"  # nothing may print a document by accident


def main(memory_mib: str) -> None:
    """Read documents until the pipe ends. `memory_mib`: memory beside what the process has at its start."""

    def prepare() -> Callable[[ParseTask], ParsedDocument | None]:
        _bound_memory(int(memory_mib) << 20)
        return _read

    serve(prepare)


def _read(task: ParseTask) -> ParsedDocument | None:
    if isinstance(task.content, str):
        return read_given_text(task.content, task.limits)
    return parse_document(task.content, task.limits)


def _bound_memory(more: int) -> None:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            has = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # another system than Linux
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = has + more
    resource.setrlimit(resource.RLIMIT_AS, (wanted if most < 0 else min(wanted, most), most))
