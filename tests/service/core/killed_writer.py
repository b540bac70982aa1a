"""Write a bundle over and over in child processes, each killed (SIGKILL) one step later than the last.

A step is whatever the interpreter reports to an audit hook about files: opening, making, renaming and
removing. Started as `python -m tests.service.core.killed_writer BUNDLE WORKPLACE (fresh|over) (swap|rename)`;
prints one JSON line a kill: what a reader finds then, under the bundle's name and in hidden files.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from service.core import files
from service.core.bundle import read_bundle, write_bundle
from service.core.errors import BundleError

_EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree", "shutil.copytree")


def main(source: Path, workplace: Path, target_exists: bool, can_swap: bool) -> None:
    template = read_bundle(source)
    new = template.manifest.model_copy(update={"version": "2.0.0"})
    parts: dict[str, BaseModel | dict[str, Any] | str] = {
        "calibration.json": template.calibration,
        "decision.json": template.decision,
        "probes.json": template.reference_vectors,
        "README.md": "the new one\n",
    }
    for step in range(1, 1000):
        place = workplace / str(step)
        place.mkdir(parents=True)
        target = place / "bundle"
        if target_exists:
            shutil.copytree(source, target)
        child = os.fork()
        if child == 0:
            if not can_swap:
                files._swap = lambda one, other: False
            _kill_at(step, place)
            write_bundle(target, new, parts, adapter=source / "adapter", overwrite=True)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        hidden = [_version(folder) for folder in place.iterdir() if folder.name.startswith(".")]
        found = sorted(entry.name for entry in place.iterdir() if not entry.name.startswith("."))
        state = {
            "killed": killed,
            "exit": status,
            "target": _version(target),
            "hidden": hidden,
            "names": found,
        }
        sys.stdout.write(json.dumps(state) + "\n")
        if not killed:
            return


def _kill_at(step: int, place: Path) -> None:
    seen = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event in _EVENTS and str(arguments[0]).startswith(str(place)):
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _version(folder: Path) -> str:
    if not folder.exists():
        return "absent"
    try:
        return read_bundle(folder).manifest.version
    except BundleError:
        return "unusable"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "over", sys.argv[4] == "swap")
