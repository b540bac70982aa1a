"""The work folder of a run: what it was started with, its checkpoints, and the epochs that it kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from service.core.errors import EvenmatchError
from service.core.files import write_private

RECORD = "run.json"
CONFIG = "config.json"
TRAINED = "trained.json"
KEPT = "kept"

_CHECKPOINT = "checkpoint-"
_SEEN_LAST = "trainer_state.json"
"""The last file that is written to a checkpoint: without it, the others may be incomplete."""


class ResumeError(EvenmatchError):
    """The checkpoints are of another run."""

    code = "resume_refused"
    title = "Run cannot be resumed"


def begin(work: Path, record: dict[str, Any], config: str) -> int:
    """Make room for a new run: forget another's checkpoints and kept epochs. Returns how many there were.

    `config`: the run's whole configuration as JSON, for who chooses another epoch later.

    Else the other's last checkpoint would be resumed from, and its epoch could go into the bundle.
    """
    found = _checkpoints(work)
    for folder in (*found, work / KEPT):
        shutil.rmtree(folder, ignore_errors=True)
    (work / TRAINED).unlink(missing_ok=True)
    write_private(work / RECORD, json.dumps(record, indent=2) + "\n")
    write_private(work / CONFIG, config)
    return len(found)


def read_record(work: Path) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """The record of the finished run of `work`, its configuration as JSON, and what it was trained on.

    Raises `ResumeError` if that is not a work folder of a run that came to its end.
    """
    missing = [name for name in (RECORD, CONFIG, TRAINED) if not _is_json(work / name)]
    if missing:
        raise ResumeError(
            f"{work} is no work folder of a run that has trained to its end: {', '.join(missing)} missing"
        )
    record, config, trained = ((work / name).read_text("utf-8") for name in (RECORD, CONFIG, TRAINED))
    return json.loads(record), config, json.loads(trained)


def write_trained(work: Path, figures: dict[str, Any]) -> None:
    """Say that the training came to its end, and what it was of."""
    write_private(work / TRAINED, json.dumps(figures, indent=2) + "\n")


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


def _has_all_states(checkpoint: Path, processes: int) -> bool:
    """Of several processes each writes its own random state, perhaps after the first has written the rest."""
    if processes == 1:
        return True
    # torch writes ZIP archives, whose directory comes last: half a file is none.
    return all(is_zipfile(checkpoint / f"rng_state_{rank}.pth") for rank in range(processes))


def _is_json(file: Path) -> bool:
    try:
        json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return True
