from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.core.engines.engine import Device
from service.core.errors import EngineUnavailableError
from service.runtime import devices
from service.runtime.devices import EngineChoice, EngineSetting, choose_engine, usable_cores


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What this machine pretends to have."""
    state: dict[str, object] = {"accelerator": None, "openvino": True}

    def accelerator() -> tuple[Device | None, str]:
        found = state["accelerator"]
        return (found, "") if found in ("cuda", "mps") else (None, "no accelerator")

    monkeypatch.setattr(devices, "_accelerator", accelerator)
    monkeypatch.setattr(devices, "_has_openvino", lambda: bool(state["openvino"]))
    return state


@pytest.mark.parametrize(
    ("accelerator", "openvino", "expected"),
    [
        ("cuda", True, ("torch", "cuda")),
        ("mps", True, ("torch", "mps")),
        (None, True, ("openvino", "cpu")),
        (None, False, ("torch", "cpu")),
    ],
)
def test_auto_takes_the_best_there_is_and_says_why(
    machine: dict[str, object], accelerator: str | None, openvino: bool, expected: tuple[str, str]
) -> None:
    machine.update(accelerator=accelerator, openvino=openvino)
    choice = choose_engine("auto")
    assert (choice.name, choice.device) == expected
    assert choice.reason.startswith("auto: ")


@pytest.mark.parametrize("setting", ["torch-cuda", "torch-mps"])
def test_a_device_asked_for_by_name_is_never_silently_replaced(
    machine: dict[str, object], setting: EngineSetting
) -> None:
    with pytest.raises(EngineUnavailableError, match=f"engine {setting} was asked for, but no accelerator"):
        choose_engine(setting)


def test_openvino_asked_for_but_not_installed_is_refused(machine: dict[str, object]) -> None:
    machine["openvino"] = False
    with pytest.raises(EngineUnavailableError, match="openvino is not installed"):
        choose_engine("openvino")


def test_torch_alone_takes_the_accelerator_or_the_cpu(machine: dict[str, object]) -> None:
    assert choose_engine("torch").device == "cpu"
    assert choose_engine("torch-cpu") == EngineChoice("torch", "cpu", "asked for by the engine setting")
    machine["accelerator"] = "cuda"
    assert choose_engine("torch").device == "cuda"


def test_choosing_on_a_machine_without_accelerator_does_not_import_torch() -> None:
    code = (
        "import sys; from service.runtime.devices import choose_engine; choice = choose_engine('auto');"
        "print(choice.device, 'torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    device, imported = out.stdout.split()
    assert imported == str(device != "cpu")


@pytest.mark.parametrize("setting", ["auto", "torch", "torch-cpu", "torch-cuda"])
def test_torch_that_is_not_installed_is_said(
    machine: dict[str, object], monkeypatch: pytest.MonkeyPatch, setting: EngineSetting
) -> None:
    machine.update(openvino=False, accelerator=None)
    monkeypatch.setattr(devices, "_has_torch", lambda: False)
    with pytest.raises(EngineUnavailableError):
        choose_engine(setting)
    machine["openvino"] = True
    assert choose_engine("auto").name == "openvino"


def test_there_is_at_least_one_core() -> None:
    assert usable_cores() >= 1


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("10000 100000", 1),
        ("1600000 100000", 8),
    ],
)
def test_a_container_uses_no_more_cores_than_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    (tmp_path / "cpu.max").write_text(quota + "\n")
    assert usable_cores(tmp_path) == cores
    assert usable_cores(tmp_path / "no such folder") == 8


@pytest.mark.parametrize(("quota", "cores"), [("-1", 8), ("200000", 2), ("150000", 2), ("50000", 1)])
def test_so_it_does_by_the_older_kind_of_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota + "\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_cores(tmp_path) == cores
