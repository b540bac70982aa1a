"""Whether a file of decisions has the same candidate twice for the same job."""

from __future__ import annotations

from array import array
from typing import Literal

import numpy as np

OnDuplicates = Literal["count", "refuse"]


class RepeatedCandidates:
    """Takes hashes of ids, 16 bytes a row with its line, and finds at the end which came before."""

    def __init__(self) -> None:
        self._hashes = array("q")
        self._lines = array("q")

    def add(self, candidate: object, job: object, line: int) -> None:
        """Keep a row; one without a candidate's id is passed over."""
        name = "" if candidate is None else f"{candidate}".strip()
        if name:
            self._hashes.append(hash((name, "" if job is None else f"{job}".strip())))
            self._lines.append(line)

    def lines(self) -> list[int]:
        """The lines whose candidate and job an earlier line has."""
        if not self._hashes:
            return []
        hashes = np.frombuffer(self._hashes, dtype=np.int64)
        order = np.argsort(hashes, kind="stable")
        repeats = order[1:][hashes[order][1:] == hashes[order][:-1]]
        return sorted(int(self._lines[i]) for i in repeats)
