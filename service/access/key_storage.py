"""Where keys are kept: a table that all replicas read, or a file of this machine."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Engine, insert, select, update

from service.access.keys import PREFIX, ApiKey
from service.access.principal import Scope
from service.access.private_files import read_private
from service.core.errors import ConfigurationError, UnknownKeyError
from service.core.files import write_private
from service.core.tenants import TENANT_NAME
from service.store.key_tables import api_keys
from service.store.tables import Row, from_microseconds, to_microseconds
from service.store.transactions import brief, snapshot, store_errors, transaction

Change = Callable[[ApiKey], tuple[ApiKey, ApiKey | None]]
"""What a key becomes, and the new one beside it if there is one."""


class KeyStorage(Protocol):
    """Reads and writes keys. Blocks; thread-safe."""

    def all(self) -> Sequence[ApiKey]:
        """Every key, those that are over too, the oldest first.

        Raises `StoreError`, or `ConfigurationError` for a file that cannot be used.
        """

    def add(self, key: ApiKey) -> None:
        """Keep a new key."""

    def change(self, key_id: str, change: Change) -> None:
        """Put the first of what `change` gives in place of a key, and keep the second if there is one.

        All of it or nothing. Raises `UnknownKeyError`, and what `change` raises.
        """


class DatabaseKeys:
    """Keys in the database of decisions, migrated already."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> Sequence[ApiKey]:
        with store_errors(), brief(self._engine), snapshot(self._engine) as connection:
            rows = connection.execute(select(api_keys).order_by(api_keys.c.created, api_keys.c.id)).mappings()
            return [_from_row(row) for row in rows]

    def add(self, key: ApiKey) -> None:
        with store_errors(), brief(self._engine), transaction(self._engine) as connection:
            connection.execute(insert(api_keys).values(_row(key)))

    def change(self, key_id: str, change: Change) -> None:
        with store_errors(), brief(self._engine), transaction(self._engine) as connection:
            query = select(api_keys).where(api_keys.c.id == key_id).with_for_update()
            row = connection.execute(query).mappings().first()
            if row is None:
                raise _unknown(key_id)
            changed, new = change(_from_row(row))
            connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(_row(changed)))
            if new is not None:
                connection.execute(insert(api_keys).values(_row(new)))


def _row(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "tenant": key.tenant,
        "scopes": " ".join(sorted(key.scopes)),
        "digest": key.digest,
        "secret_id": key.secret_id,
        "created": to_microseconds(key.created),
        "expires": None if key.expires is None else to_microseconds(key.expires),
        "revoked": None if key.revoked is None else to_microseconds(key.revoked),
        "replaces": key.replaces,
    }


def _from_row(row: Row) -> ApiKey:
    values = dict(row)
    # A scope of a later version is none here: that key may do less.
    values["scopes"] = frozenset(Scope(one) for one in row["scopes"].split() if one in set(Scope))
    for name in ("created", "expires", "revoked"):
        values[name] = None if row[name] is None else from_microseconds(row[name])
    return ApiKey(**values)


class _KeyInFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9]{12}$")]
    name: str
    tenant: Annotated[str, Field(pattern=f"^{TENANT_NAME.pattern}$")]
    scopes: list[Scope]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    secret_id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    created: AwareDatetime
    expires: AwareDatetime | None = None
    revoked: AwareDatetime | None = None
    replaces: str | None = None


class _KeyFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keys: list[_KeyInFile] = []


class FileKeys:
    """Keys in a JSON file, which is ours alone. A service only reads it: it may be mounted read-only."""

    FIELD = "keys_file"

    def __init__(self, file: Path) -> None:
        self._file = file

    def all(self) -> Sequence[ApiKey]:
        text = read_private(self._file, self.FIELD)
        try:
            found = _KeyFile.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise ConfigurationError(
                f"{self.FIELD}: {self._file} is not a file of keys: {where} {first['type']}", field=self.FIELD
            ) from None
        keys = [ApiKey(**{**dict(one), "scopes": frozenset(one.scopes)}) for one in found.keys]
        return sorted(keys, key=lambda key: (key.created, key.id))

    def add(self, key: ApiKey) -> None:
        with self._locked() as keys:
            self._write([*keys, key])

    def change(self, key_id: str, change: Change) -> None:
        with self._locked() as keys:
            old = next((key for key in keys if key.id == key_id), None)
            if old is None:
                raise _unknown(key_id)
            changed, new = change(old)
            kept = [changed if key.id == key_id else key for key in keys]
            self._write(kept if new is None else [*kept, new])

    @contextmanager
    def _locked(self) -> Iterator[Sequence[ApiKey]]:
        """What is in the file, which nobody else changes meanwhile."""
        try:
            folder = os.open(self._file.parent, os.O_RDONLY)
        except OSError as error:
            raise ConfigurationError(
                f"{self.FIELD}: {self._file} cannot be written: {error.strerror}", field=self.FIELD
            ) from None
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield self.all() if self._file.exists() else []
        finally:
            os.close(folder)

    def _write(self, keys: Sequence[ApiKey]) -> None:
        content = _KeyFile(keys=[_KeyInFile(**_fields(key)) for key in keys])
        try:
            write_private(self._file, content.model_dump_json(indent=1, exclude_none=True) + "\n")
        except OSError as error:
            raise ConfigurationError(
                f"{self.FIELD}: {self._file} cannot be written: {error.strerror}", field=self.FIELD
            ) from None


def _fields(key: ApiKey) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(key, name) for name in _KeyInFile.model_fields}
    return values | {"scopes": sorted(key.scopes)}


def _unknown(key_id: str) -> UnknownKeyError:
    return UnknownKeyError(f"there is no key {PREFIX}_{key_id}", field="key")
