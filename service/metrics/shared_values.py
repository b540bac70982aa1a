"""Several processes behind one port: each writes its values to files, and whoever is asked sums them up.

A process has a slot, a small number. Its files are named after the slot, not after the process id: one that
takes the place of a dead process goes on counting where that one stopped, so no counter falls and no file is
left over.

The files lie in a folder for temporary files, which somebody may clean. Every process holds its own values in
memory, too, and writes them again where their files are gone (`restore`). Until all have done so, there is no
exposition, so that Prometheus sees a service without metrics and not one that has counted less.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Metric, generate_latest, values
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from service.core.errors import MetricsLostError
from service.metrics.shared_folder import make_folder

log = logging.getLogger(__name__)

_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # the client library knows no other way


@dataclass(slots=True)
class SharedValues:
    """The folder of all processes' values, and the slot of this one.

    `joined` has one place a slot, shared by all processes: 1 where one has counted. The files of such a slot
    are missed if they are gone; without `joined` only this process' are.
    """

    folder: Path
    slot: int
    joined: ctypes.Array[ctypes.c_byte] | None = None
    _files: dict[Path, _File] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def join(self) -> None:
        """From here on this process' metrics keep their values in the folder. Before any metric is made.

        Raises `MetricsLostError` if the folder is gone and cannot be made again.
        """
        make_folder(self.folder)
        lost = self.joined is not None and self.joined[self.slot] and not self._path("counter").exists()
        if lost:
            log.error("what process slot %d had counted is lost: its files are gone", self.slot)
        os.environ[_FOLDER_VARIABLE] = str(self.folder)
        values.ValueClass = _value_class(self.slot, self._files, self._lock)

    def counts_from_now_on(self) -> None:
        """All series of this process are made: from now on their files are missed if they are gone."""
        if self.joined is not None:
            self.joined[self.slot] = 1

    def restore(self) -> None:
        """Write this process' values again where their files are gone. Takes microseconds if none is.

        Raises `MetricsLostError` if that cannot be done.
        """
        with self._lock:
            for path, file in self._files.items():
                if not file.is_there(path):
                    make_folder(self.folder)
                    file.write_anew(path)
                    log.error("the metrics file %s was gone and is written again from memory", path)

    def exposition(self) -> bytes:
        """All processes' values together, in Prometheus' text format. Raises `MetricsLostError`."""
        self.restore()
        for slot, has_joined in enumerate(self.joined or ()):
            for kind in ("counter", "histogram"):
                if has_joined and not (self.folder / f"{kind}_{slot}.db").exists():
                    raise MetricsLostError(f"the metrics of process slot {slot} are gone from {self.folder}")
        registry = CollectorRegistry()
        registry.register(_AllProcesses(self.folder))
        return generate_latest(registry)

    def _path(self, kind: str) -> Path:
        return self.folder / f"{kind}_{self.slot}.db"


class _File:
    """One of the client library's files, mapped into memory, and which file of the disk it is."""

    def __init__(self, mapped: MmapedDict, path: Path) -> None:
        self._mapped = mapped
        self._identity = _identity(path)

    def is_there(self, path: Path) -> bool:
        try:
            return _identity(path) == self._identity
        except OSError:
            return False

    def write_anew(self, path: Path) -> None:
        """Copy what is in memory to a new file and go on there."""
        new = path.with_suffix(".new")
        try:
            new.unlink(missing_ok=True)
            copy = MmapedDict(str(new))  # type: ignore[no-untyped-call]
            for key, value, timestamp in self._mapped.read_all_values():  # type: ignore[no-untyped-call]
                copy.write_value(key, value, timestamp)  # type: ignore[no-untyped-call]
            new.replace(path)  # whole, since sister processes may be reading
            copy._fname = str(path)
            # The library's values hold on to the object: it becomes the copy and drops what was removed.
            self._mapped.__dict__, copy.__dict__ = copy.__dict__, self._mapped.__dict__
            copy.close()  # type: ignore[no-untyped-call]
            self._identity = _identity(path)
        except OSError as error:
            raise MetricsLostError(f"metrics cannot be written to {path}: {error.strerror}") from None


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _value_class(slot: int, files: dict[Path, _File], lock: threading.Lock) -> type:
    """The client library's class of values in files; it notes the files, and waits while they are renewed."""
    base = values.MultiProcessValue(lambda: slot)  # type: ignore[no-untyped-call]

    class Value(base):  # type: ignore[misc,valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            with lock:
                super().__init__(*args, **kwargs)
                path = Path(self._file._fname)
                if path not in files:
                    files[path] = _File(self._file, path)

        def inc(self, amount: float) -> None:
            with lock:
                super().inc(amount)

        def set(self, value: float, timestamp: float | None = None) -> None:
            with lock:
                super().set(value, timestamp)

    return Value


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
