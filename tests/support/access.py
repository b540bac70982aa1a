"""Keys for tests: a secret, and keys made with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from service.access.key_storage import FileKeys
from service.access.keys import ApiKey, KeySecret, NewKey, make_key
from service.access.principal import Scope

SECRET = "a secret of tests, 32 characters long or longer"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def new_key(*scopes: Scope, now: datetime = NOW, **fields: Any) -> NewKey:
    """A key with these scopes, or all; `fields` of its record are replaced."""
    made = make_key(
        KeySecret(SECRET),
        name="test",
        scopes=scopes or tuple(Scope),
        created=now,
        expires=now + timedelta(days=30),
    )
    return made._replace(record=replace(made.record, **fields))


class HeldKeys:
    """Keys in memory, as a storage: counts how often they are read."""

    def __init__(self, keys: Iterable[ApiKey] = ()) -> None:
        self.keys = list(keys)
        self.reads = 0
        self.error: Exception | None = None

    def all(self) -> list[ApiKey]:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return list(self.keys)

    def add(self, key: ApiKey) -> None:
        self.keys.append(key)

    def change(self, key_id: str, change: Any) -> None:
        raise NotImplementedError


def write_keys(folder: Path, *keys: NewKey) -> dict[str, Any]:
    """Keys in a file, and the settings with which a service takes them."""
    file = folder / "keys.json"
    storage = FileKeys(file)
    for key in keys:
        storage.add(key.record)
    return {"keys_secret": SECRET, "keys_file": file}


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}
