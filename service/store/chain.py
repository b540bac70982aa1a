"""The hash chain, and the secret key that it and the log's other signatures are made with.

    content   = HMAC(salt, canonical form of the row's content)
    hash      = HMAC(hash of the row before, sequence, decision_id, time, content, tenant)
    tombstone = HMAC(sequence, hash, time of the erasure)
    head      = HMAC(sequence and hash of the last row, key id)
    purge     = HMAC(sequence and hash of the last purged row, time of the purge)

All use one secret key, so that only who has it can write a chain. The content enters by a digest of its own,
under a salt that only this row has. When content and salt are erased the digest stays and the chain still
holds, but not even the key's owner can find out by trying ids whose row it was.

The tenant enters content and hash; the latter holds after an erasure, too. The default tenant is signed by
its absence: so is every row from before there were tenants, or of an earlier version beside this one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from service.core.errors import ConfigurationError
from service.core.tenants import DEFAULT_TENANT
from service.store.decisions import ADDED, CONTENT, Decision
from service.store.tables import Row, decision_row

log = logging.getLogger(__name__)

KEY_FILE = "log.key"
MIN_CHARACTERS = 16
_BYTES = 32

Part = str | int | None


class LogKey:
    """Signs, and never shows its secret. `id` names the key without giving it away."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.id = self.sign("key", [])[:16]

    @classmethod
    def from_text(cls, text: str) -> LogKey:
        """A key of the settings. Raises `ConfigurationError` if it is too short to be secret."""
        if len(text) < MIN_CHARACTERS:
            raise ConfigurationError(
                f"log_key has {len(text)} characters; at least {MIN_CHARACTERS} are needed",
                field="log_key",
                limit=MIN_CHARACTERS,
                actual=len(text),
            )
        return cls(hashlib.sha256(b"evenmatch log key\n" + text.encode()).digest())

    def sign(self, purpose: str, parts: Sequence[Part]) -> str:
        """Hexadecimal HMAC-SHA256. A signature for one purpose is not valid for another."""
        # Parts come from a database that may have been tampered with: a value of any type must give another
        # signature, not an exception.
        return self.sign_bytes(purpose, json.dumps(parts, separators=(",", ":"), default=repr).encode())

    def sign_bytes(self, purpose: str, message: bytes) -> str:
        """As `sign`, over bytes."""
        return hmac.digest(self._secret, purpose.encode() + b"\n" + message, "sha256").hex()

    def signed(self, signature: object, purpose: str, parts: Sequence[Part]) -> bool:
        """Whether `signature`, as read from a database, is that of `parts`."""
        return isinstance(signature, str) and hmac.compare_digest(
            signature.encode(), self.sign(purpose, parts).encode()
        )


def load_key(setting: str, data_dir: Path, *, create: bool) -> LogKey:
    """The key of the settings, or else that of the key file, which is made if `create` allows it.

    Raises `ConfigurationError` if there is none or it cannot be read.
    """
    if setting:
        return LogKey.from_text(setting)
    file = data_dir / KEY_FILE
    try:
        if create and not file.exists():
            _create_key_file(file)
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            log.warning("%s can be read by others than its owner: chmod 600 is advised", file)
        secret = bytes.fromhex(file.read_text("ascii").strip())
    except FileNotFoundError as error:
        if create:
            raise ConfigurationError(
                f"the data folder {data_dir} cannot be made: {error.strerror}", field="data_dir"
            ) from None
        raise ConfigurationError(
            f"no key for the decision log: log_key is not set, and there is no {file}", field="log_key"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be used: {error.strerror}", field="log_key") from None
    except ValueError:
        secret = b""
    if len(secret) != _BYTES:
        raise ConfigurationError(f"{file} is not a key: {2 * _BYTES} hexadecimal digits", field="log_key")
    return LogKey(secret)


def _create_key_file(file: Path) -> None:
    """It appears whole or not at all; if another process makes one at the same time, the first counts."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(f"{secrets.token_hex(_BYTES)}\n")
            stream.flush()
            os.fsync(stream.fileno())
        # Not `core.files.private_file`, which renames: that would replace a key that the other process has
        # begun to sign with.
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


def canonical(row: Row) -> bytes:
    """The content of a row as bytes: equal content gives equal bytes, other content other bytes.

    Fields that were added later are at its end and left out where they are all null: a shorter list is that
    of an earlier version, signed as it was.
    """
    # Someone may have put values of any type into the database: they must differ, not raise.
    values = [*(row[name] for name in CONTENT), *_tenant_part(row)]
    if all(one is None for one in values[len(CONTENT) - len(ADDED) :]):
        del values[-len(ADDED) :]
    return json.dumps(values, separators=(",", ":"), default=repr).encode()


def content_digest(key: LogKey, row: Row) -> str:
    """What the chain holds of a row's content."""
    return key.sign_bytes("content", f"{row['salt']}\n".encode() + canonical(row))


def row_hash(key: LogKey, previous: str, row: Row) -> str:
    """The hash of a row whose `content` is known, after a row of hash `previous`."""
    signed = [previous, row["sequence"], row["decision_id"], row["time"], row["content"]]
    return key.sign("row", [*signed, *_tenant_part(row)])


def _tenant_part(row: Row) -> list[Any]:
    return [] if row["tenant"] == DEFAULT_TENANT else [row["tenant"]]


def genesis(key: LogKey) -> str:
    """The hash that the first row follows."""
    return key.sign("genesis", [])


def chained(key: LogKey, decision: Decision, sequence: int, previous: str) -> dict[str, Any]:
    """The row of a decision, ready to be inserted after a row of hash `previous`."""
    row = {"sequence": sequence, **decision_row(decision), "salt": secrets.token_hex(16)}
    row["content"] = content_digest(key, row)
    row["hash"] = row_hash(key, previous, row)
    return row


def tombstone(key: LogKey, row: Row, erased: int) -> str:
    """The signature of a lawful erasure, at `erased` microseconds."""
    return key.sign("tombstone", [row["sequence"], row["hash"], erased])
