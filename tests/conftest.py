from __future__ import annotations

import gc
import logging
import os
import shutil
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

from service.core.bundle import Bundle, read_bundle

QUERY = "Represent this sentence for searching relevant passages: "

# Properties are about results; a shared machine is now and then slow.
settings.register_profile("evenmatch", deadline=None)
settings.load_profile("evenmatch")

# No test needs a model hub, and none may notice whether there is one.
os.environ["HF_HUB_OFFLINE"] = "1"

# The cores are shared by the processes of a run: threads of one would only wait for those of another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Hundreds of modules are imported before the first test and stay: looking through them finds nothing.
gc.disable()


PROGRAMS = {"prometheus": ("prometheus", "promtool")}
"""What tests with a marker need beside Python."""


def pytest_collection_finish() -> None:
    """From here on garbage is looked for, but not among what was imported."""
    gc.freeze()
    gc.enable()


class _Spread(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A file's tests stay in one process, and all that ask the one real server, too."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return "tests/e2e" if file.startswith("tests/e2e/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Callable[..., None]) -> _Spread | None:
    return _Spread(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests whose programs are not installed, and say which."""
    for marker, programs in PROGRAMS.items():
        if missing := [name for name in programs if shutil.which(name) is None]:
            reason = f"not installed: {', '.join(missing)}"
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("EVENMATCH_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A command of a test sets up logging for its process; the next test is not to find that."""
    root, own = logging.getLogger(), logging.getLogger("service")
    levels = root.level, own.level
    hooks = threading.excepthook, sys.excepthook, sys.unraisablehook, warnings.showwarning
    handlers = set(root.handlers)
    yield
    root.setLevel(levels[0])
    own.setLevel(levels[1])
    threading.excepthook, sys.excepthook, sys.unraisablehook, warnings.showwarning = hooks
    for handler in root.handlers[:]:
        if handler not in handlers and type(handler).__module__ == "service.logs":
            root.removeHandler(handler)


@pytest.fixture(scope="session")
def bge_like(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model in the layout of bge-large, tiny and random."""
    from tests.support.tiny_models import (
        write_bge_like,
    )  # imports torch, which who only deals out tests needs not

    return write_bge_like(tmp_path_factory.mktemp("models") / "bge-like")


@pytest.fixture(scope="session")
def adapter(bge_like: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.support.tiny_models import write_adapter

    return write_adapter(bge_like, tmp_path_factory.mktemp("adapters") / "adapter")


@pytest.fixture(scope="session")
def tiny_bundle(bge_like: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    from tests.support.bundles import write_test_bundle

    return write_test_bundle(tmp_path_factory.mktemp("bundles") / "tiny", str(bge_like), job_prefix=QUERY)


@pytest.fixture
def broken(tiny_bundle: Bundle, tmp_path: Path) -> Path:
    """A copy of the tiny bundle to be damaged."""
    copy = tmp_path / "bundle"
    shutil.copytree(tiny_bundle.path, copy)
    read_bundle(copy)
    return copy


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Converted models, shared by all tests of a run."""
    return tmp_path_factory.mktemp("converted")
