"""Several processes behind one port: each writes its values to files, and whoever is asked sums them up.

A process has a slot, a small number. Its files are named after the slot, not after the process id: one that
takes the place of a dead process goes on counting where that one stopped, so no counter falls and no file is
left over.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, generate_latest, values
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

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
        registry.register(_AllProcesses(self.folder))
        return generate_latest(registry)


def keep_apart() -> None:
    """From here on this process' metrics keep their values in its memory, whatever the environment says."""
    values.ValueClass = values.MutexValue


def forget_gauges(folder: Path, slot: int) -> None:
    """Drop what the dead process of `slot` said of its present state; what it counted stays."""
    mark_process_dead(slot, str(folder))  # type: ignore[no-untyped-call]


class _AllProcesses(Collector):
    """What the client library's collector collects; equal series are summed before they are unpacked.

    That makes a scrape of many processes hardly slower than one of two.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        files = sorted(self._folder.glob("*.db"))
        gauges = [str(file) for file in files if file.name.startswith("gauge_")]
        yield from MultiProcessCollector.merge(gauges)  # type: ignore[no-untyped-call]
        yield from _sums(file for file in files if not file.name.startswith("gauge_"))


Labels = tuple[tuple[str, str], ...]


def _sums(files: Iterable[Path]) -> list[Metric]:
    """Counters and histograms of all `files` together."""
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for file in files:
        kind = file.name.split("_")[0]
        for key, value, *_ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]
            sums[kind, key] += value
    families: dict[str, Metric] = {}
    buckets: dict[tuple[str, Labels], dict[float, float]] = {}
    for (kind, key), value in sums.items():
        family, name, labels, text = _unpacked(key)
        metric = families.setdefault(family, Metric(family, text, kind))
        upper = dict(labels).get("le") if kind == "histogram" else None
        if upper is None:
            metric.add_sample(name, dict(labels), value)
        else:
            rest = tuple(label for label in labels if label[0] != "le")
            buckets.setdefault((family, rest), {})[float(upper)] = value
    for (family, labels), counts in buckets.items():
        total = 0.0
        for edge in sorted(counts):
            total += counts[edge]
            le = "+Inf" if edge == float("inf") else str(edge)
            families[family].add_sample(f"{family}_bucket", {**dict(labels), "le": le}, total)
        families[family].add_sample(f"{family}_count", dict(labels), total)
    return list(families.values())


@lru_cache(maxsize=50_000)
def _unpacked(key: str) -> tuple[str, str, Labels, str]:
    """Family, name, labels and text, as the client library packs them."""
    family, name, labels, text = json.loads(key)
    return family, name, tuple(labels.items()), text
