from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.core import files
from service.core.bundle import Bundle
from service.core.files import draft_of
from tests.support.bundles import write_test_bundle
from tests.support.erasers import random_eraser
from tests.support.patience import PATIENCE


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "folder"
    with draft_of(target) as draft:
        (draft / "sub").mkdir()
        (draft / "sub" / "file").write_text("x")
        assert not target.exists()
    assert (target / "sub" / "file").read_text() == "x"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("swaps", [True, False])
def test_a_folder_is_replaced_whole(tmp_path: Path, swaps: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not swaps:
        monkeypatch.setattr(files, "_swap", lambda one, other: False)
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old").touch()
    with draft_of(target) as draft:
        (draft / "new").touch()
        assert [file.name for file in target.iterdir()] == ["old"]
    assert [file.name for file in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old").touch()

    def write() -> None:
        with draft_of(target) as draft:
            (draft / "new").touch()
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        write()
    assert [file.name for file in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_without_a_swap_a_failing_rename_puts_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old").touch()
    monkeypatch.setattr(files, "_swap", lambda one, other: False)
    rename: Callable[[Path, Path], Path] = Path.rename

    def fails_for_the_draft(self: Path, to: Path) -> Path:
        if self.name != "folder" and not self.name.endswith(".old"):
            raise PermissionError("no")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", fails_for_the_draft)

    def write() -> None:
        with draft_of(target):
            pass

    with pytest.raises(PermissionError):
        write()
    assert [file.name for file in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


@pytest.fixture(scope="module")
def whole(bge_like: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("whole") / "bundle"
    return write_test_bundle(folder, str(bge_like), adapter=adapter, eraser=random_eraser(32))


def kills(whole: Bundle, workplace: Path, target: str, way: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.service.core.killed_writer"]
    done = subprocess.run(
        [*command, str(whole.path), str(workplace), target, way],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    states = [json.loads(line) for line in done.stdout.splitlines()]
    assert [state["killed"] for state in states] == [True] * (len(states) - 1) + [False]
    assert states[-1]["exit"] == 0
    assert (states[-1]["target"], states[-1]["hidden"]) == ("2.0.0", [])
    return states


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
@pytest.mark.parametrize("way", ["swap", "rename"])
def test_a_writer_killed_anywhere_leaves_no_bundle_or_a_whole_one(
    whole: Bundle, tmp_path: Path, way: str
) -> None:
    states = kills(whole, tmp_path, "fresh", way)
    targets = [state["target"] for state in states]
    written = targets.index("2.0.0")
    assert written >= 12  # each of its files, the manifest and the folders were a step
    assert targets == ["absent"] * written + ["2.0.0"] * (len(targets) - written)
    assert {"unusable", "2.0.0"} <= {version for state in states for version in state["hidden"]}
    assert all(set(state["names"]) <= {"bundle"} for state in states)


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="this system cannot swap two folders")
def test_a_writer_killed_anywhere_leaves_the_old_bundle_or_the_new_one(whole: Bundle, tmp_path: Path) -> None:
    states = kills(whole, tmp_path, "over", "swap")
    targets = [state["target"] for state in states]
    swapped = targets.index("2.0.0")
    assert targets == ["1.0.0"] * swapped + ["2.0.0"] * (len(targets) - swapped)
    assert swapped >= 12
    assert len(targets) - swapped > 3  # killed while the old bundle is removed, the new one is whole


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
def test_where_folders_cannot_be_swapped_the_old_bundle_is_never_lost(whole: Bundle, tmp_path: Path) -> None:
    states = kills(whole, tmp_path, "over", "rename")
    targets = [state["target"] for state in states]
    assert set(targets) == {"1.0.0", "absent", "2.0.0"}
    for state in states:
        if state["target"] == "absent":
            assert sorted(state["hidden"]) == ["1.0.0", "2.0.0"]


@pytest.mark.parametrize("there", [True, False])
def test_what_a_link_points_to_is_replaced(tmp_path: Path, there: bool) -> None:
    target, link = tmp_path / "folder", tmp_path / "link"
    if there:
        target.mkdir()
        (target / "old").touch()
    link.symlink_to(target)
    with draft_of(link) as draft:
        (draft / "new").touch()
    assert link.is_symlink()
    assert [file.name for file in target.iterdir()] == ["new"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["folder", "link"]
