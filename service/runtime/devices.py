"""Which engine and device to use here, and why."""

from __future__ import annotations

import ctypes
import logging
import math
import os
import platform
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from service.core.engines.engine import Device, EngineName
from service.core.errors import EngineUnavailableError

log = logging.getLogger(__name__)

_CGROUP = Path("/sys/fs/cgroup")
"""Where a container sees its own limits."""

EngineSetting = Literal["auto", "openvino", "torch", "torch-cuda", "torch-mps", "torch-cpu"]


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """`reason` is shown in the log and in `GET /v1/model`."""

    name: EngineName
    device: Device
    reason: str


def choose_engine(setting: EngineSetting) -> EngineChoice:
    """`auto`: CUDA, then MPS, then OpenVINO on the CPU, then torch on the CPU.

    torch is imported only where the machine may have an accelerator that it can use, since loading
    it costs seconds and hundreds of megabytes. Raises `EngineUnavailableError` if an engine asked for
    by name cannot run here.
    """
    choice = _choice(setting)
    if choice.name == "torch" and not _has_torch():
        raise EngineUnavailableError(
            f"engine {setting} needs torch here, which is not installed: pip install 'evenmatch[torch]'"
        )
    return choice


def _choice(setting: EngineSetting) -> EngineChoice:
    if setting == "openvino":
        if not _has_openvino():
            raise EngineUnavailableError("engine openvino was asked for, but openvino is not installed")
        return EngineChoice("openvino", "cpu", "asked for by the engine setting")
    accelerator, why_not = _accelerator()
    if setting == "auto":
        if accelerator is not None:
            return EngineChoice("torch", accelerator, f"auto: {accelerator} is usable")
        if _has_openvino():
            return EngineChoice("openvino", "cpu", f"auto: {why_not}; OpenVINO is the fastest on a CPU")
        return EngineChoice("torch", "cpu", f"auto: {why_not}; openvino is not installed")
    if setting == "torch":
        return EngineChoice(
            "torch", accelerator or "cpu", f"asked for; {why_not or f'{accelerator} is usable'}"
        )
    wanted: Device = "cuda" if setting == "torch-cuda" else "mps" if setting == "torch-mps" else "cpu"
    if wanted != "cpu" and wanted != accelerator:
        raise EngineUnavailableError(
            f"engine {setting} was asked for, but {why_not or f'only {accelerator} is usable'}"
        )
    return EngineChoice("torch", wanted, "asked for by the engine setting")


def usable_cores(cgroup: Path = _CGROUP) -> int:
    """CPU cores that this process may run on; no more than its container may use, rounded up."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS or Windows
        cores = os.cpu_count() or 1
    return max(1, min(cores, _quota(cgroup) or cores))


def _quota(cgroup: Path) -> int | None:
    """Cores that the container's CPU time amounts to, by cgroup v2 or v1; None without a limit."""
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            given = " ".join((cgroup / name).read_text("ascii") for name in files)
            # "max" is no quota, and no number; v1 has -1.
            microseconds, period = map(int, given.split())
        except (OSError, ValueError):
            continue
        return math.ceil(microseconds / period) if microseconds > 0 < period else None
    return None


def _accelerator() -> tuple[Device | None, str]:
    """The accelerator that torch can use, or None and the reason."""
    if not _has_torch():
        return None, "torch is not installed"
    if metadata.version("torch").endswith("+cpu"):
        return None, "this build of torch is for CPUs only"
    if not (_has_nvidia_driver() or _is_apple_silicon()):
        return None, "no NVIDIA driver and no Apple silicon found"
    from service.core.engines.torch_engine import available_device

    device = available_device()
    return (None, "torch reports neither CUDA nor MPS") if device == "cpu" else (device, "")


def _has_nvidia_driver() -> bool:
    try:
        driver = ctypes.CDLL("nvcuda.dll" if platform.system() == "Windows" else "libcuda.so.1")
        count = ctypes.c_int(0)
        return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    except (OSError, AttributeError):
        return False


def _is_apple_silicon() -> bool:
    return platform.system() == "Darwin" and platform.machine() == "arm64"


def _has_torch() -> bool:
    return find_spec("torch") is not None


def _has_openvino() -> bool:
    return find_spec("openvino") is not None
