"""Several processes that train one model together, each on batches of its own.

Launchers set `RANK` and `WORLD_SIZE`. What is measured or decided is done by process 0 alone; the others wait
for it and get what came of it, so that all of them go on from the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from service.core.errors import EvenmatchError, InputError

T = TypeVar("T")

_PATIENCE = timedelta(days=1)
"""How long a process waits for another. Gloo's own 30 minutes would end a run whose validation takes longer.

A process that dies is not waited for: the launcher ends the others.
"""


_SHARDING = {
    "ACCELERATE_USE_FSDP": "FSDP",
    "ACCELERATE_USE_DEEPSPEED": "DeepSpeed",
    "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM",
    "ACCELERATE_USE_PARALLELISM_CONFIG": "a parallelism configuration",
}
"""What `accelerate launch` sets for each way to divide one model among processes."""


class ShardingError(InputError):
    """The launcher was told to divide the model among processes, which training here does not do."""

    code = "sharding_refused"
    title = "The model cannot be divided"


def check_data_parallel() -> None:
    """Raise `ShardingError` if `accelerate launch` was told of FSDP, DeepSpeed or the like.

    Between CPUs accelerate ignores FSDP without a word. Between GPUs it would divide the parameters that
    validation, mining and checkpoints read whole, so that what is kept would be a part of the adapter.
    """
    for name, what in _SHARDING.items():
        if os.environ.get(name, "").lower() in ("1", "true", "yes", "on"):
            raise ShardingError(
                f"accelerate was told to use {what} ({name} is set); training is data parallel only, each "
                "process with the whole model: switch it off in accelerate's configuration, and if memory is "
                "short set trainer.gradient_checkpointing or lower trainer.batch_jobs",
                field="processes",
            )


def process_rank() -> int:
    """This process's number; 0 is the one that writes."""
    return int(os.environ.get("RANK", "0"))


def process_count() -> int:
    """How many processes train together: one for each GPU, or so many on the CPU."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def trains_on_cpu() -> bool:
    """Whether training stays on the CPU: there is nothing else, or `accelerate launch --cpu` asks for it."""
    asked = os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes", "on")
    return asked or not (torch.cuda.is_available() or torch.backends.mps.is_available())


def meet() -> None:
    """Connect to the other processes, if there are any: Gloo on CPUs, NCCL between GPUs."""
    if process_count() > 1 and not dist.is_initialized():
        dist.init_process_group("gloo" if trains_on_cpu() else "cuda:nccl,cpu:gloo", timeout=_PATIENCE)


def part() -> None:
    """Let go of the others, after everybody has come this far. What follows is done by process 0 alone."""
    if dist.is_initialized():
        from_first(lambda: None)
        dist.destroy_process_group()


def from_first(compute: Callable[[], T]) -> T:
    """What `compute` gives in process 0, in every process. It is called in no other, and must be picklable.

    An `EvenmatchError` of process 0 is raised in all of them.
    """
    if process_count() == 1:
        return compute()
    meet()
    outcome: list[Any] = [None, None]
    if process_rank() == 0:
        try:
            outcome[0] = compute()
        except EvenmatchError as error:
            outcome[1] = error
    dist.broadcast_object_list(outcome, src=0, device=torch.device("cpu"))
    if outcome[1] is not None:
        raise outcome[1]
    result: T = outcome[0]
    return result


def summed(figures: Mapping[str, float]) -> dict[str, float]:
    """The sum of all processes' figures by name, the same in each; what one lacks counts as 0 there."""
    if process_count() == 1:
        return dict(figures)
    meet()
    gathered: list[Any] = [None] * process_count()
    dist.all_gather_object(gathered, dict(figures))
    names = dict.fromkeys(name for of in gathered for name in of)
    return {name: sum(of.get(name, 0.0) for of in gathered) for name in names}
