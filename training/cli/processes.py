"""Several processes that train together: started by `--processes`, or by a launcher.

`torchrun` and `accelerate launch --multi_gpu` start them. `accelerate launch --cpu` does not: unless it is
given hosts for `mpirun`, it starts one process whatever `--num_processes` says, and tells it nothing. The
number stands on its command line, where it is read, and the one process makes place for that many.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from service.core.errors import InputError

_LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
"""What a launcher tells each process that it starts."""

_ADVICE = "give evenmatch-train --processes, or start it with torchrun --nproc-per-node"


class LaunchError(InputError):
    """Processes that cannot be started as asked."""

    code = "launch_refused"
    title = "Processes cannot be started"


def start_processes(wanted: int | None) -> None:
    """Replace this process by torch's launcher with `wanted` processes of the same command.

    Returns if this one is enough, or is one of those that a launcher started. `wanted` None: as many as
    `accelerate launch --cpu` was asked for, else one. Raises `LaunchError` if it cannot be done.
    """
    if any(name in os.environ for name in _LAUNCHED):
        if wanted not in (None, world := int(os.environ.get("WORLD_SIZE", "1"))):
            raise LaunchError(f"--processes is {wanted}, but the launcher started {world}", field="processes")
        return
    count = wanted or _asked_of_accelerate()
    if count == 1:
        return
    _check_devices(count)
    # torch's launcher finds a free port by itself. With the last, Intel's OpenMP would pin the threads of
    # every process to the same cores.
    for name in ("MASTER_ADDR", "MASTER_PORT", "KMP_AFFINITY"):
        os.environ.pop(name, None)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // count)))
    # The same modules as here, whatever lies in the folder that the command is run from.
    os.environ["PYTHONPATH"] = os.pathsep.join(os.path.abspath(place) for place in sys.path)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count), "--no-python"]
    command = [sys.executable, "-P", "-m", "training.cli", *sys.argv[1:]]
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-P", *launcher, *command])  # nosec B606


def _asked_of_accelerate() -> int:
    """How many processes `accelerate launch --cpu` was asked for; 1 if it did not start this one.

    It sets the address of the first process where more than one are wanted, and then starts one.
    """
    of_accelerate = os.environ.get("ACCELERATE_USE_CPU", "").lower() == "true"
    if not of_accelerate or "MASTER_ADDR" not in os.environ:
        return 1
    arguments = _parents_arguments()
    if arguments is None:
        raise LaunchError(f"accelerate launch --cpu starts one process only: {_ADVICE}", field="processes")
    return asked_for(arguments)


def asked_for(arguments: Sequence[str]) -> int:
    """The number of processes that these arguments of `accelerate launch`, or its configuration, ask for.

    Raises `LaunchError` if they are to run on several machines.
    """
    config = importlib.import_module("accelerate.commands.config")  # untyped
    launch = importlib.import_module("accelerate.commands.launch")
    given = launch.launch_command_parser().parse_args(list(arguments))
    count, machines = given.num_processes, given.num_machines
    # As `accelerate launch` does it: with --cpu the default file is not read, one that is named is.
    if given.config_file or (not given.cpu and os.path.isfile(config.default_config_file)):
        defaults = config.load_config_from_file(given.config_file)
        count, machines = count or defaults.num_processes, machines or defaults.num_machines
    if (machines or 1) > 1:
        raise LaunchError(
            f"accelerate launch --cpu starts one process on each of {machines} machines: start torchrun on "
            "each instead",
            field="processes",
        )
    return int(count or 1)


def _parents_arguments() -> list[str] | None:
    """What stands after `accelerate launch` on the command line of the process that started this one."""
    import psutil

    try:
        parent = psutil.Process().parent()
        words = [] if parent is None else parent.cmdline()
    except psutil.Error:
        return None
    for place, word in enumerate(words):
        name = os.path.basename(word)
        if name == "launch" and place and os.path.basename(words[place - 1]).startswith("accelerate"):
            return words[place + 1 :]
        if name in ("accelerate-launch", "accelerate.commands.launch", "launch.py"):
            return words[place + 1 :]
    return None


def _check_devices(count: int) -> None:
    from training.learning.processes import trains_on_cpu

    if trains_on_cpu():
        return
    import torch

    gpus = torch.cuda.device_count()
    if gpus < count:
        raise LaunchError(
            f"--processes is {count}: each takes a GPU of its own, and there are {gpus}; set "
            "ACCELERATE_USE_CPU=true to train on the CPU",
            field="processes",
        )
