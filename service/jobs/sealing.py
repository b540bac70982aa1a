"""Texts, results and addresses as they lie in the database: compressed and encrypted (AES-256-GCM).

What a piece belongs to is authenticated with it, so that pieces of two jobs cannot be exchanged. The order is
compress, then encrypt: how well a text compresses shows in the length of its row, and nowhere else.
"""

from __future__ import annotations

import os
import zlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.core.errors import ConfigurationError, SealedError
from service.store.chain import MIN_CHARACTERS, LogKey

_NONCE_BYTES = 12  # random: a key may seal 2^32 pieces
_LEVEL = 1  # resumes shrink to 45 % at 1 and to 40 % at 6, which takes three times as long


class Sealer:
    """Seals and opens with one key. Thread-safe."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def of(cls, setting: str, log_key: LogKey) -> Sealer:
        """By the key of the settings, or else one derived from the log's, which all replicas have.

        Raises `ConfigurationError` if the setting is too short to be secret.
        """
        if not setting:
            return cls(bytes.fromhex(log_key.sign("key of batch jobs", [])))
        if len(setting) < MIN_CHARACTERS:
            raise ConfigurationError(
                f"jobs_key has {len(setting)} characters; at least {MIN_CHARACTERS} are needed",
                field="jobs.key",
                limit=MIN_CHARACTERS,
                actual=len(setting),
            )
        derived = HKDF(SHA256(), 32, salt=None, info=b"evenmatch batch jobs")
        return cls(derived.derive(setting.encode()))

    def seal(self, content: bytes, owner: str) -> bytes:
        """`owner` names what the content belongs to, as `job/results/3`: the same is needed to open it."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, zlib.compress(content, _LEVEL), owner.encode())

    def open(self, sealed: bytes, owner: str) -> bytes:
        """Raises `SealedError` if it was sealed with another key or for another owner, or was changed."""
        try:
            packed = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner.encode())
        except InvalidTag:
            raise SealedError(
                "a piece of a job cannot be opened: it was sealed with another key, or was changed"
            ) from None
        return zlib.decompress(packed)
