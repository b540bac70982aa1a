"""numpy's products in one thread: theirs are small here, and OpenBLAS' threads wait for the next by spinning.

Scoring multiplies the vectors of passages and of reference occupations, a millisecond at a time, while the
model's own threads want the cores. With OpenBLAS' default of a thread a core these products took a quarter of
a request's processor time more (docs/benchmarks.md). Other libraries that numpy may stand on are left alone,
and so is torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


def keep_numpy_to_one_thread() -> None:
    """From now on, in this whole process: for one that does nothing but serve or score."""
    _openblas().limit(limits=1)


@contextmanager
def numpy_in_one_thread() -> Iterator[None]:
    """Meanwhile only: for a process that is somebody else's. Their other threads have one, too, meanwhile."""
    with _openblas().limit(limits=1):
        yield


@cache
def _openblas() -> ThreadpoolController:
    """Looked for once, when numpy is imported: it takes milliseconds."""
    return ThreadpoolController().select(internal_api="openblas")
