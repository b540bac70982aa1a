"""The secret under which the log is chained: from the settings, or made once in a file."""

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

from service.core.errors import ConfigurationError

log = logging.getLogger(__name__)

KEY_FILE = "log.key"
MIN_CHARACTERS = 16
_BYTES = 32

Part = str | int | None


class LogKey:
    """Signs; never shown. `id` names the key without giving it away."""

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
        """Hexadecimal HMAC-SHA256. A signature made for one purpose is worth nothing for another."""
        # Parts come from a database that may have been tampered with: any type must differ, not break.
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
            _create(file)
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            log.warning("%s can be read by others than its owner: chmod 600 is advised", file)
        secret = bytes.fromhex(file.read_text("ascii").strip())
    except FileNotFoundError:
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


def _create(file: Path) -> None:
    """Appears whole or not at all; if another process makes one at the same time, the first one counts."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(f"{secrets.token_hex(_BYTES)}\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
