"""`evenmatch backup` and `evenmatch restore`: what they say, and with which code they exit."""

from __future__ import annotations

import re
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from service.store.backup import SQLITE_FILE
from service.store.chain import KEY_FILE
from service.store.recorder import DATABASE_FILE, StoreOptions
from tests.support.decision_logs import decisions


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder that the settings name, with three decisions."""
    folder = tmp_path / "here"
    monkeypatch.setenv("EVENMATCH_DATA_DIR", str(folder))
    with closing(StoreOptions(data_dir=folder).open_log(create_key=True)) as log:
        log.open()
        log.append(decisions(3))
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_a_backup_without_the_key_says_so_and_is_put_back_where_the_key_is(
    here: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.tar"
    made = run("backup", "--output", backup)
    assert made.exit_code == 0
    assert re.search(r"backup\.tar: 1 files, 3 decisions in the chain, as of 20\d\d-", made.stdout)
    assert "the log's key is not in it" in made.stderr
    checked = run("restore", "--check", backup)
    assert (checked.exit_code, "the chain of 3 rows is unbroken\n" in checked.stdout) == (0, True)
    (here / DATABASE_FILE).unlink()
    done = run("restore", backup)
    assert (done.exit_code, done.stdout.endswith("unbroken: restored\n")) == (0, True)
    assert "erase those candidates again" in done.stderr
    assert run("log", "verify").exit_code == 0


def test_what_stands_there_is_kept_and_the_place_is_said(here: Path, tmp_path: Path) -> None:
    run("backup", "--output", tmp_path / "backup", "--with-key")
    refused = run("restore", tmp_path / "backup")
    assert (refused.exit_code, "add --replace" in refused.stderr) == (1, True)
    done = run("restore", "--replace", tmp_path / "backup")
    assert done.exit_code == 0
    (kept,) = here.glob(f"{DATABASE_FILE}.before-restore-*")
    assert kept.name in done.stderr
    assert "erase" not in done.stderr


def test_a_backup_with_the_key_starts_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("backup", "--output", tmp_path / "backup", "--with-key")
    monkeypatch.setenv("EVENMATCH_DATA_DIR", str(tmp_path / "there"))
    assert run("restore", tmp_path / "backup").exit_code == 0
    assert (tmp_path / "there" / KEY_FILE).stat().st_mode & 0o077 == 0
    assert run("log", "verify").stdout.startswith("3 rows read")


def test_a_damaged_backup_exits_with_3_and_names_the_file(here: Path, tmp_path: Path) -> None:
    run("backup", "--output", tmp_path / "backup")
    (tmp_path / "backup" / SQLITE_FILE).write_bytes(b"")
    done = run("restore", "--replace", tmp_path / "backup")
    assert done.exit_code == 3
    assert f"{SQLITE_FILE} of the backup is not what was written" in done.stderr


def test_without_a_key_nothing_is_backed_up(here: Path, tmp_path: Path) -> None:
    (here / KEY_FILE).unlink()
    done = run("backup", "--output", tmp_path / "backup")
    assert (done.exit_code, "no key for the decision log" in done.stderr) == (1, True)
    shutil.rmtree(here)
    assert not (tmp_path / "backup").exists()
