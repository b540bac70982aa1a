"""The files that somebody names: files, folders, patterns and ZIP archives, each document with an id.

Ids come from names, as short as they can be while no two are the same: of a folder's or an archive's file
the path within it without its suffix, of a file named by itself its name without its suffix; where two would
be equal, with the suffix, and then with what it lies in. Ids that differ by case alone are made longer, too,
where that helps: on some disks two such files would be one.
"""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from service.core.errors import (
    DocumentTooLargeError,
    DuplicateIdError,
    ErrorCollector,
    InputError,
    TableError,
)
from service.files.documents.archives import (
    ArchiveLimits,
    RefusedMember,
    is_archive,
    names_in,
    unpacked,
)
from service.files.text_files import is_table

_LITTER = re.compile(r"\.|~\$|(?:Thumbs\.db|desktop\.ini)$|__MACOSX$")
"""Beginnings of names that programs put into folders beside people's files; hidden files among them."""

_MAGIC = re.compile(r"[*?\[]")
_READ = 1 << 18


@dataclass(frozen=True, slots=True)
class GivenDocument:
    """One document's bytes, or what is wrong. `source` says where it stands, for error messages."""

    id: str
    source: str
    data: bytes = b""
    error: InputError | None = None

    def __repr__(self) -> str:
        return f"GivenDocument(bytes={len(self.data)})"


@dataclass(slots=True)
class _Named:
    """A document before it is read. `names`: from the shortest id on. `number`: in its archive."""

    path: Path
    names: list[str]
    number: int = 0
    level: int = 0

    @property
    def id(self) -> str:
        return self.names[self.level]

    @property
    def source(self) -> str:
        return f"{written(self.path)}[{self.number}]" if self.number else written(self.path)


@dataclass(frozen=True, slots=True)
class GivenFiles:
    """Documents in the order in which they were given, those of a folder by name."""

    named: list[_Named] = field(default_factory=list)
    limits: ArchiveLimits = field(default_factory=ArchiveLimits)
    max_bytes: int = 10 * 2**20

    def __len__(self) -> int:
        return len(self.named)

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.named]

    @property
    def paths(self) -> set[Path]:
        """The files, resolved."""
        return {one.path.resolve() for one in self.named}

    def documents(self) -> Iterator[GivenDocument]:
        """All documents, one in memory at a time; what is wrong with one comes in its place."""
        i = 0
        while i < len(self.named):
            one = self.named[i]
            if not one.number:
                yield self._file(one)
                i += 1
                continue
            of_archive = [one]
            while i + len(of_archive) < len(self.named):
                other = self.named[i + len(of_archive)]
                if other.path != one.path or other.number <= of_archive[-1].number:
                    break
                of_archive.append(other)
            yield from self._archive(of_archive)
            i += len(of_archive)

    def _file(self, one: _Named) -> GivenDocument:
        try:
            with one.path.open("rb") as stream:
                data = bytearray()
                while chunk := stream.read(_READ):
                    data += chunk
                    if len(data) > self.max_bytes:
                        raise self._too_large(one, os.fstat(stream.fileno()).st_size)
        except OSError as error:
            return GivenDocument(one.id, one.source, error=_unreadable(one.path, error))
        except DocumentTooLargeError as error:
            return GivenDocument(one.id, one.source, error=error)
        return GivenDocument(one.id, one.source, bytes(data))

    def _archive(self, members: Sequence[_Named]) -> Iterator[GivenDocument]:
        path, by_number = members[0].path, {one.number: one for one in members}
        try:
            with path.open("rb") as stream:
                for member in unpacked(
                    stream, self.limits, field=written(path), max_member_bytes=self.max_bytes
                ):
                    one = by_number.pop(member.number, None)
                    if one is None:  # the archive has changed since it was looked into
                        continue
                    if isinstance(member, RefusedMember):
                        yield GivenDocument(one.id, one.source, error=member.error)
                    else:
                        yield GivenDocument(one.id, one.source, member.data)
        except OSError as error:
            wrong: InputError = _unreadable(path, error)
        except InputError as error:
            wrong = error
        else:
            wrong = TableError(f"{path} has changed while it was read")
        if by_number:  # one error for all that is left of it
            first = next(iter(by_number.values()))
            yield GivenDocument(first.id, first.source, error=wrong)

    def _too_large(self, one: _Named, size: int) -> DocumentTooLargeError:
        return DocumentTooLargeError(
            f"{one.source} has {max(size, self.max_bytes + 1):,} bytes; the limit is {self.max_bytes:,}",
            limit=self.max_bytes,
            actual=size,
        )


def find_files(
    given: Sequence[str],
    *,
    limits: ArchiveLimits,
    max_bytes: int,
    errors: ErrorCollector,
    leave_out: Iterable[Path] = (),
) -> GivenFiles:
    """Find the documents of files, folders (all that is in them), patterns and ZIP archives; none is read.

    `leave_out`: files and folders that hold no documents though they may lie in a folder. `errors` gathers
    what cannot be found, tables in folders, archives that cannot be opened, and a file that is given twice.
    """
    out = {path.resolve() for path in leave_out}
    named: list[_Named] = []
    for one in given:
        with errors:
            found = list(_find(one, limits, errors, out))
            if not found:
                raise TableError(f"{one} holds no files")
            named += found
    named = _each_once(named, errors)
    _make_unique(named, errors)
    return GivenFiles(named, limits, max_bytes)


def written(path: Path | str) -> str:
    """A file's name; bytes in it that are not UTF-8 become question marks."""
    return str(path).encode("utf-8", "replace").decode()


def _find(given: str, limits: ArchiveLimits, errors: ErrorCollector, out: set[Path]) -> Iterator[_Named]:
    path = Path(given)
    if not os.path.lexists(path) and _MAGIC.search(given):
        matches = sorted(glob.glob(given, recursive=True))
        if not matches:
            raise TableError(f"{given} fits no file")
        for match in matches:
            # "**" goes into folders by itself; any other pattern that fits a folder means all that is in it.
            if not ("**" in given and os.path.isdir(match)):
                yield from _find_at(Path(match), limits, errors, out)
        return
    yield from _find_at(path, limits, errors, out)


def _find_at(path: Path, limits: ArchiveLimits, errors: ErrorCollector, out: set[Path]) -> Iterator[_Named]:
    if path.is_dir():
        yield from _in_folder(path, limits, errors, out)
        return
    if path.resolve() in out:
        return
    if is_table(path):
        raise TableError(f"{path} is a table: give it alone, not with other files")
    name = PurePosixPath(written(path.name))
    yield from _file_or_archive(path, [name.stem, name.name, *_longer(path)], limits)


def _in_folder(
    folder: Path, limits: ArchiveLimits, errors: ErrorCollector, out: set[Path]
) -> Iterator[_Named]:
    def failed(error: OSError) -> None:
        with errors:
            raise _unreadable(Path(error.filename or folder), error)

    for place, folders, files in os.walk(folder, onerror=failed):
        folders[:] = sorted(
            name for name in folders if not _LITTER.match(name) and Path(place, name).resolve() not in out
        )
        for name in sorted(files):
            path = Path(place, name)
            if _LITTER.match(name) or path.resolve() in out:
                continue
            with errors:
                if is_table(path):
                    raise TableError(f"{path} is a table: give it alone, not in a folder of documents")
                within = PurePosixPath(written(path.relative_to(folder).as_posix()))
                names = [str(within.with_suffix("")), str(within), *_longer(path)]
                yield from _file_or_archive(path, names, limits)


def _file_or_archive(path: Path, names: list[str], limits: ArchiveLimits) -> Iterator[_Named]:
    try:
        if not path.is_file():  # a pipe, which can be read once; or nothing at all
            path.stat()
            yield _Named(path, names)
            return
        with path.open("rb") as stream:
            if not is_archive(stream):
                yield _Named(path, names)
                return
            stream.seek(0)
            members = names_in(stream, limits, field=written(path))
    except OSError as error:
        raise _unreadable(path, error) from None
    if not members:
        raise TableError(f"{path} holds no files")
    for number, name in enumerate(members, 1):
        within = PurePosixPath(_plain(written(name)))
        yield _Named(
            path, [str(within.with_suffix("")), str(within), f"{written(path.name)}/{within}"], number
        )


def _longer(path: Path) -> list[str]:
    """Names for files that have the same within their folders: with the folder, then the whole path."""
    parts = PurePosixPath(_plain(written(path.as_posix()))).parts
    return ["/".join(parts[-2:]), "/".join(parts)]


def _plain(name: str) -> str:
    """A path without what leads out of a folder."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join(parts) or "file"


def _each_once(named: Sequence[_Named], errors: ErrorCollector) -> list[_Named]:
    """Those that were not there before; `errors` gathers the others."""
    seen: set[tuple[Path, int]] = set()
    once = []
    for one in named:
        with errors:
            place = one.path.resolve(), one.number
            if place in seen:
                raise DuplicateIdError(f"{one.source} is given twice")
            seen.add(place)
            once.append(one)
    return once


def _make_unique(named: Sequence[_Named], errors: ErrorCollector) -> None:
    """Give those with equal ids longer ones until no two are equal. `errors` gathers those that stay so."""
    while True:
        counts = Counter(one.id.casefold() for one in named)
        longer = [one for one in named if counts[one.id.casefold()] > 1 and one.level + 1 < len(one.names)]
        if not longer:
            break
        for one in longer:
            one.level += 1
    first: dict[str, _Named] = {}
    for one in named:
        other = first.setdefault(one.id, one)
        with errors:
            if other is not one:
                raise DuplicateIdError(f"{one.source} has the same id as {other.source}")


def _unreadable(path: Path, error: OSError) -> TableError:
    return TableError(f"{written(path)} cannot be read: {error.strerror}")
