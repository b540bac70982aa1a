"""Vectors of texts seen lately, in memory only.

Keys are digests under a key that lives as long as the process, so the cache holds no text and its
keys mean nothing elsewhere. They contain the tenant: a vector says nothing of who else sent its text, but how
soon it comes would tell one tenant that another had sent the same resume.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from array import array
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from service.core.tenants import DEFAULT_TENANT
from service.core.tokenization import TokenIds

Key = bytes

_OVERHEAD_BYTES = 200
"""Python objects around one entry, roughly."""


class EmbeddingCache:
    """Least recently used, bounded by bytes. `max_bytes` 0 keeps nothing. Thread-safe.

    Not `cachetools.LRUCache`: that can neither look without making an entry younger nor insert at the old
    end, which is how background work leaves the cache to live requests.
    """

    def __init__(self, max_bytes: int, dimensions: int) -> None:
        self._capacity = max_bytes // (dimensions * 4 + _OVERHEAD_BYTES)
        self._entries: OrderedDict[Key, NDArray[np.float32]] = OrderedDict()
        self._secret = secrets.token_bytes(32)
        self._lock = threading.Lock()

    def key(self, ids: TokenIds, tenant: str = DEFAULT_TENANT) -> Key:
        """A digest of the token ids, and so of the text, prefix included, and of whose it is."""
        content = tenant.encode() + b"\n" + array("q", ids).tobytes()
        return hashlib.blake2b(content, digest_size=16, key=self._secret).digest()

    def get(self, key: Key, *, recent: bool = True) -> NDArray[np.float32] | None:
        """The vector, if it is known; unless `recent`, looking makes it no younger."""
        with self._lock:
            vector = self._entries.get(key)
            if vector is not None and recent:
                self._entries.move_to_end(key)
            return vector

    def put(self, key: Key, vector: NDArray[np.float32], *, recent: bool = True) -> None:
        """Keep a vector; one that is not `recent` displaces none that is, and is itself the first to go."""
        if self._capacity == 0:
            return
        kept = vector.copy()  # not a view that would keep its whole batch alive
        with self._lock:
            known = key in self._entries
            self._entries[key] = kept
            if recent or not known:
                self._entries.move_to_end(key, last=recent)
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)

    def __len__(self) -> int:
        return len(self._entries)
