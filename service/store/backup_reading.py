"""Reading a backup: nothing is used before all of it is as its manifest says, which the log's key signed."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from service.core.errors import BackupError, ConfigurationError, DamagedBackupError
from service.core.files import sha256_file
from service.store.backup import DUMP_FILE, FORMAT, MANIFEST, SQLITE_FILE, Manifest
from service.store.chain import KEY_FILE, LogKey, load_key
from service.store.database import known_revisions
from service.store.recorder import StoreOptions

_MANIFEST_BYTES = 2**26


def read_backup(options: StoreOptions, backup: Path, place: Path) -> tuple[Path, Manifest, LogKey]:
    """The backup's files in a folder below `place`, its manifest and the log's key.

    Raises `DamagedBackupError`, naming the file; `BackupError` for another format or a newer schema;
    `ConfigurationError` if there is no key, or another one.
    """
    folder = place / "backup"
    folder.mkdir(mode=0o700)
    if backup.is_dir():
        manifest = _manifest(_bytes_of(backup / MANIFEST))
        found = {str(file.relative_to(backup)) for file in backup.rglob("*") if not file.is_dir()}
        _check_names(found - {MANIFEST}, manifest)
        for name in manifest.files:
            (folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(backup / name, folder / name, follow_symlinks=False)
    elif backup.is_file():
        manifest = _unpack(backup, folder)
    else:
        raise DamagedBackupError(f"there is no backup at {backup}")
    for name, (digest, size) in manifest.files.items():
        file = folder / name
        if file.is_symlink() or file.stat().st_size != size or sha256_file(file) != digest:
            raise DamagedBackupError(f"{name} of the backup is not what was written: its SHA-256 differs")
        file.chmod(0o600)  # whatever the backup's own mode is by now
    key = _key(options, folder)
    if key.id != manifest.key_id:
        raise ConfigurationError(
            f"the backup is of a log under another key ({manifest.key_id}, not {key.id})", field="log_key"
        )
    if manifest.signature != manifest.signed(key):
        raise DamagedBackupError(f"{MANIFEST} of the backup is not signed with the log's key")
    if manifest.schema not in known_revisions():
        raise BackupError(
            f"the backup was made by evenmatch {manifest.version}, whose tables (schema {manifest.schema}) "
            "this version does not know: restore it with that version or a newer one"
        )
    return folder, manifest, key


def _unpack(backup: Path, folder: Path) -> Manifest:
    try:
        with tarfile.open(backup, "r:") as archive:
            members = {member.name: member for member in archive.getmembers()}
            first = members.pop(MANIFEST, None)
            if first is None or first.size > _MANIFEST_BYTES:
                raise DamagedBackupError(f"{backup} holds no {MANIFEST}: it is no backup")
            manifest = _manifest(_content(archive, first))
            _check_names(set(members), manifest)
            for name, member in members.items():
                (folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                stream = archive.extractfile(member) if member.isreg() else None
                if stream is None:
                    raise DamagedBackupError(f"{name} of the backup is no file")
                with stream, (folder / name).open("xb") as out:
                    shutil.copyfileobj(stream, out)
    except (tarfile.TarError, EOFError) as error:
        raise DamagedBackupError(f"{backup} is not a whole tar file: {type(error).__name__}") from None
    return manifest


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member) if member.isreg() else None
    return b"" if stream is None else stream.read()


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise DamagedBackupError(f"{file.parent} holds no {MANIFEST}: it is no backup") from None


def _manifest(content: bytes) -> Manifest:
    try:
        given = json.loads(content)
        if given["format"] != FORMAT:
            raise BackupError(f"its format is {given['format']}; this version reads {FORMAT}")
        given["files"] = {str(name): (str(one[0]), int(one[1])) for name, one in given["files"].items()}
        manifest = Manifest(**given)
        names = set(manifest.files)
        if (SQLITE_FILE if manifest.database == "sqlite" else DUMP_FILE) not in names:
            raise ValueError
    except (ValueError, TypeError, KeyError, LookupError, AttributeError, RecursionError):
        raise DamagedBackupError(f"{MANIFEST} of the backup is damaged") from None
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise DamagedBackupError(f"{MANIFEST} of the backup names a file outside of it")
    return manifest


def _check_names(found: set[str], manifest: Manifest) -> None:
    if missing := sorted(set(manifest.files) - found):
        raise DamagedBackupError(f"{missing[0]} of the backup is missing")
    if more := sorted(found - set(manifest.files)):
        raise DamagedBackupError(f"{more[0]} is no file of the backup, which does not list it")


def _key(options: StoreOptions, folder: Path) -> LogKey:
    """Of the settings or the data folder, else the backup's own."""
    given = options.log_key.get_secret_value()
    here = given or (options.data_dir / KEY_FILE).exists() or not (folder / KEY_FILE).exists()
    return load_key(given, options.data_dir if here else folder, create=False)
