"""Several processes behind one port: each writes its values to files, and whoever is asked sums them up.

A process has a slot, a small number. Its files are named after the slot, not after the process id: one that
takes the place of a dead process goes on counting where that one stopped, so no counter falls and no file is
left over.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # the client library knows no other way


@dataclass(frozen=True, slots=True)
class SharedValues:
    """The folder of all processes' values, and the slot of this one."""

    folder: Path
    slot: int

    def join(self) -> None:
        """From here on this process' metrics keep their values in the folder. Before any metric is made."""
        os.environ[_FOLDER_VARIABLE] = str(self.folder)
        slot = self.slot
        values.ValueClass = values.MultiProcessValue(lambda: slot)  # type: ignore[no-untyped-call]

    def exposition(self) -> bytes:
        """All processes' values together, in Prometheus' text format."""
        registry = CollectorRegistry()
        MultiProcessCollector(registry, str(self.folder))  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def keep_apart() -> None:
    """From here on this process' metrics keep their values in its memory, whatever the environment says."""
    values.ValueClass = values.MutexValue


def forget_gauges(folder: Path, slot: int) -> None:
    """Drop what the dead process of `slot` said of its present state; what it counted stays."""
    mark_process_dead(slot, str(folder))  # type: ignore[no-untyped-call]
