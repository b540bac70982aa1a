"""Memory that a step no longer needs goes back to the system."""

from __future__ import annotations

import ctypes
import sys

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_BYTES = 1 << 20


def return_freed_memory() -> None:
    """Have glibc return freed blocks of 1 MiB or more at once; elsewhere nothing happens.

    By itself it raises that limit to 32 MiB as it goes. A training step allocates tensors of ever
    different sizes, and the holes between them came to a third of the memory in use.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _BYTES)
        mallopt(_M_TRIM_THRESHOLD, _BYTES)
