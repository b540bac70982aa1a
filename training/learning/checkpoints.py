"""The work folder of a run: what it was started with, its checkpoints, and the epochs that it kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from service.core.errors import EvenmatchError
from service.core.files import write_private

RECORD = "run.json"
KEPT = "kept"

_CHECKPOINT = "checkpoint-"
_SEEN_LAST = "trainer_state.json"
"""The last file that is written to a checkpoint: without it, the others may be incomplete."""


class ResumeError(EvenmatchError):
    """The checkpoints are of another run."""

    code = "resume_refused"
    title = "Run cannot be resumed"


def begin(work: Path, record: dict[str, Any]) -> int:
    """Make room for a new run: forget another's checkpoints and kept epochs. Returns how many there were.

    Else the other's last checkpoint would be resumed from, and its epoch could go into the bundle.
    """
    found = _checkpoints(work)
    for folder in (*found, work / KEPT):
        shutil.rmtree(folder, ignore_errors=True)
    write_private(work / RECORD, json.dumps(record, indent=2) + "\n")
    return len(found)


def last_checkpoint(work: Path, record: dict[str, Any]) -> Path | None:
    """The last whole checkpoint in `work`; None if there is none.

    Raises `ResumeError`, which names what differs, if the checkpoints are of a run of another record.
    """
    whole = [folder for folder in _checkpoints(work) if _is_json(folder / _SEEN_LAST)]
    if not whole:
        return None
    if not _is_json(work / RECORD):
        raise ResumeError(f"{work / RECORD} is missing or damaged: what its checkpoints are of is not known")
    before = json.loads((work / RECORD).read_text("utf-8"))
    differing = [name for name, value in record.items() if before.get(name) != value]
    if differing:
        raise ResumeError(
            f"the checkpoints in {work} are of a run that differs in {', '.join(differing)}: go on with what "
            "it was started with, or start over without --resume"
        )
    return whole[-1]


def step_of(checkpoint: Path) -> int:
    """The step that a checkpoint was written after."""
    return int(checkpoint.name.removeprefix(_CHECKPOINT))


def _checkpoints(work: Path) -> list[Path]:
    found = [f for f in work.glob(f"{_CHECKPOINT}*") if f.name.removeprefix(_CHECKPOINT).isdecimal()]
    return sorted((folder for folder in found if folder.is_dir()), key=step_of)


def _is_json(file: Path) -> bool:
    try:
        json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return True
