"""Files and folders on local disks and in object stores, by pyarrow's file systems."""

from __future__ import annotations

import io
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Literal, cast

from service.core.errors import ConfigurationError, TableError
from service.core.files import private_bytes

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_SECRETS = re.compile(r"(?<=://)[^/@]*:[^/@]*@|\?.*$")
"""What a URI may hold beside a place: a user with a password, and options, among them signatures."""

_AZURE = re.compile(r"^az://")
_OBJECT_STORES = ("s3", "gcs", "abfs")
"""pyarrow's names of those where a file appears once it is closed, and renaming is copying."""


@dataclass(frozen=True, slots=True)
class Location:
    """A file or folder. `name`: what people call it, without secrets. It opens as a `Path` does."""

    system: Any
    path: str
    name: str

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.path).suffix

    @property
    def local(self) -> Path | None:
        """The path, if it lies on this machine's disks."""
        return Path(self.path) if self.system.type_name == "local" else None

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Location({self.name!r})"

    def __truediv__(self, part: str) -> Location:
        return Location(self.system, f"{self.path.rstrip('/')}/{part}", f"{self.name.rstrip('/')}/{part}")

    def open(self, mode: Literal["rb"], /) -> BinaryIO:
        """A stream of its bytes. Raises `OSError`."""
        stream = io.BufferedReader(self.system.open_input_file(self.path))
        return cast(BinaryIO, stream)

    def read(self) -> bytes | None:
        """All of it; None if there is no such file. Raises `TableError` if it cannot be read."""
        try:
            with self.open("rb") as stream:
                return stream.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable(self, error) from None

    def files(self) -> list[StoredFile]:
        """All files below it, by their path; none if it is no folder. Raises `TableError`."""
        import pyarrow.fs

        selector = pyarrow.fs.FileSelector(self.path, recursive=True, allow_not_found=True)
        try:
            found = self.system.get_file_info(selector)
        except NotADirectoryError:
            return []
        except OSError as error:
            raise unreadable(self, error) from None
        inside = [one for one in found if one.type == pyarrow.fs.FileType.File]
        base = self.path.rstrip("/") + "/"
        return sorted(
            (_stored(self / one.path.removeprefix(base), one) for one in inside),
            key=lambda one: one.place.path,
        )

    def stat(self) -> StoredFile | None:
        """What is known of a file; None if it is none. Raises `TableError`."""
        import pyarrow.fs

        try:
            found = self.system.get_file_info(self.path)
        except OSError as error:
            raise unreadable(self, error) from None
        return _stored(self, found) if found.type == pyarrow.fs.FileType.File else None

    def make_folder(self) -> None:
        """Make it, and what it lies in. Raises `TableError`."""
        try:
            if self.local is not None:
                self.local.mkdir(parents=True, exist_ok=True, mode=0o700)
            elif self.system.type_name not in _OBJECT_STORES:
                self.system.create_dir(self.path, recursive=True)
        except OSError as error:
            raise _unwritable(self, error) from None

    def write(self, data: bytes) -> None:
        """Make it of these bytes, whole or not at all; on local disks with mode 0600. Raises `TableError`."""
        try:
            if self.local is not None:
                with private_bytes(self.local) as stream:
                    stream.write(data)
            elif self.system.type_name in _OBJECT_STORES:
                self._put(self.path, data)
            else:
                folder, _, name = self.path.rpartition("/")
                draft = f"{folder}/_{secrets.token_hex(8)}.{name}.draft"
                self._put(draft, data)
                self.system.move(draft, self.path)
        except OSError as error:
            raise _unwritable(self, error) from None

    def delete(self) -> None:
        """Take it away, if it is there. Raises `TableError`."""
        try:
            self.system.delete_file(self.path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise _unwritable(self, error) from None

    def _put(self, path: str, data: bytes) -> None:
        with self.system.open_output_stream(path) as stream:
            stream.write(data)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it was found. `modified`: nanoseconds since 1970, 0 where that is not known."""

    place: Location
    size: int
    modified: int


def location(given: str | Path, system: Any = None) -> Location:
    """Where a path or URI (`s3://`, `gs://`, `az://`, `abfs://`, `hdfs://`, `file://`) leads.

    `system`: of pyarrow or fsspec, in which all paths are; None: the URI says it. Raises `TableError`,
    and `ConfigurationError` without pyarrow.
    """
    try:
        import pyarrow.fs
    except ImportError:
        raise ConfigurationError("scoring with Ray needs it: pip install 'evenmatch[ray]'") from None
    name = str(given)
    if system is not None:
        return Location(_as_pyarrow(system), name, name)
    if not _SCHEME.match(name):
        path = os.path.abspath(os.path.expanduser(name))
        return Location(pyarrow.fs.LocalFileSystem(), path, name)
    told = _SECRETS.sub("", name)
    try:
        found, path = pyarrow.fs.FileSystem.from_uri(_AZURE.sub("abfs://", name))
    except Exception as error:  # ArrowInvalid for one that is none, OSError, ImportError, by file system
        kind = str(error).splitlines()[0] if told == name and str(error) else type(error).__name__
        raise TableError(f"{told} cannot be used: {kind}") from None
    return Location(found, path, told)


def found_by(given: str, system: Any = None) -> list[StoredFile]:
    """The files of a file, folder or pattern (`*`, `?`, `[...]`, `**`). Raises `TableError` without any."""
    fixed, _, pattern = _split(given)
    if pattern:
        base = location(fixed or ".", system)
        wanted = _pattern(pattern)
        found = [one for one in base.files() if wanted.fullmatch(_below(one.place, base))]
    else:
        base = location(given, system)
        alone = base.stat()
        found = base.files() if alone is None else [alone]
    if not found:
        raise TableError(f"{location(given, system) if not pattern else given} holds no files")
    return found


def relative(place: Location, given: str, system: Any = None) -> str:
    """The path of a file below what it was found by; its name, if it was named itself."""
    fixed, _, pattern = _split(given)
    base = location((fixed or ".") if pattern else given, system)
    below = _below(place, base)
    return below or PurePosixPath(place.path).name


def unreadable(place: Location, error: OSError) -> TableError:
    """That a file cannot be read, and why."""
    return TableError(f"{place} cannot be read: {_reason(error)}")


def _unwritable(place: Location, error: OSError) -> TableError:
    return TableError(f"{place} cannot be written: {_reason(error)}")


def _reason(error: OSError) -> str:
    """Pyarrow's own errors have no `strerror`, and say more in their first line than their kind."""
    if error.strerror:
        return error.strerror
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _stored(place: Location, info: Any) -> StoredFile:
    return StoredFile(place, int(info.size or 0), int(info.mtime_ns or 0) if info.mtime is not None else 0)


def _below(place: Location, base: Location) -> str:
    stem = base.path.rstrip("/")
    return place.path[len(stem) :].lstrip("/") if place.path.startswith(stem) else place.path


def _split(given: str) -> tuple[str, str, str]:
    """What stands before the first part with a pattern, and the rest."""
    parts = given.split("/")
    magic = next((i for i, part in enumerate(parts) if re.search(r"[*?\[]", part)), None)
    if magic is None or ("?" in given and "://" in given and not re.search(r"[*\[]", given)):
        return given, "", ""  # a question mark begins a URI's options
    return "/".join(parts[:magic]) or ("/" if given.startswith("/") else ""), "/", "/".join(parts[magic:])


def _pattern(given: str) -> re.Pattern[str]:
    said: Iterator[str] = (
        {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(one)
        or (one.replace("[!", "[^") if one.startswith("[") and len(one) > 1 else re.escape(one))
        for one in re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", given)
    )
    return re.compile("".join(said))


def _as_pyarrow(system: Any) -> Any:
    import pyarrow.fs

    if isinstance(system, pyarrow.fs.FileSystem):
        return system
    return pyarrow.fs.PyFileSystem(pyarrow.fs.FSSpecHandler(system))
