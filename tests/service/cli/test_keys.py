"""`evenmatch keys`: what it prints, what it keeps, and with which code it exits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from service.access.key_storage import DatabaseKeys
from service.access.keys import KeySecret, KeyTable, utc_now
from service.access.principal import Scope
from service.cli import app
from service.store.database import open_database
from service.store.recorder import DATABASE_FILE
from service.store.sqlite import sqlite_url
from tests.support.access import SECRET

Run = Callable[..., Result]


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    file = tmp_path / "keys.secret"
    file.write_text(SECRET)
    file.chmod(0o600)
    return file


@pytest.fixture
def run(tmp_path: Path, secret_file: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("EVENMATCH_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("EVENMATCH_KEYS_SECRET_FILE", str(secret_file))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, ["keys", *arguments])


def listed(run: Run) -> dict[str, dict[str, Any]]:
    """By what a key is recognised by."""
    return {key["key"]: key for key in json.loads(run("list", "--json").stdout)}


def created(run: Run, *arguments: str) -> str:
    result = run("create", "--name", "ats", *(arguments or ("--scope", "score")))
    assert result.exit_code == 0, result.stderr
    return result.stdout.strip()


def test_a_key_is_shown_once_and_kept_as_a_hash(run: Run, tmp_path: Path) -> None:
    text = created(run, "--scope", "score", "--scope", "jobs", "--tenant", "acme", "--days", "30")
    assert re.fullmatch(r"evm_[a-z0-9]{12}_[A-Za-z0-9_-]{43}", text)
    (key,) = listed(run).values()
    assert text.startswith(f"{key['key']}_")
    assert (key["name"], key["tenant"], key["scopes"]) == ("ats", "acme", ["jobs", "score"])
    assert key["status"] == "active"
    shown = run("list").stdout
    assert key["key"] in shown
    secret = text.split("_", 2)[2]
    assert secret not in shown
    assert all(secret.encode() not in file.read_bytes() for file in tmp_path.glob(f"{DATABASE_FILE}*"))
    engine = open_database(sqlite_url(tmp_path / DATABASE_FILE))
    found = KeyTable(KeySecret(SECRET), DatabaseKeys(engine).all()).check(text, utc_now())
    engine.dispose()
    assert found is not None
    assert found.scopes == {Scope.SCORE, Scope.JOBS}


def test_a_name_is_listed_as_it_is(run: Run) -> None:
    for name in ("[/red]", "[link=https://evil.example]ats[/link]", "=1+1"):
        assert run("create", "--name", name, "--scope", "score").exit_code == 0
        listed = run("list")
        assert (listed.exit_code, name in listed.stdout) == (0, True)


def test_a_rotation_gives_a_new_key_and_lets_the_old_one_end(run: Run) -> None:
    old = created(run)
    old_id = "_".join(old.split("_")[:2])
    result = run("rotate", old_id, "--overlap-hours", "48")
    assert result.exit_code == 0
    assert f"{old_id} works for 48 hours more" in result.stderr
    keys = listed(run)
    new_id = "_".join(result.stdout.split("_")[:2])
    assert keys[new_id]["replaces"] == old_id
    assert keys[old_id]["expires"] < keys[new_id]["expires"]
    assert run("rotate", old_id, "--overlap-hours", "0").exit_code == 0
    assert listed(run)[old_id]["status"] == "expired"
    again = run("rotate", old_id)
    assert (again.exit_code, "only a key that works can be rotated" in again.stderr) == (3, True)


def test_a_revocation_says_when_it_takes_effect(run: Run) -> None:
    key_id = "_".join(created(run, "--scope", "admin", "--days", "0").split("_")[:2])
    assert listed(run)[key_id]["expires"] is None
    result = run("revoke", key_id)
    assert (result.exit_code, "know it within 5 seconds" in result.stderr) == (0, True)
    assert listed(run)[key_id]["status"] == "revoked"


def test_what_cannot_be_done_is_said_without_a_word_of_the_key(run: Run) -> None:
    text = created(run)
    whole = run("revoke", text)
    assert (whole.exit_code, "by its id alone" in whole.stderr) == (2, True)
    assert text.split("_", 2)[2] not in whole.stderr
    unknown = run("revoke", "evm_aaaaaaaaaaaa")
    assert (unknown.exit_code, "there is no key evm_aaaaaaaaaaaa" in unknown.stderr) == (3, True)
    tenant = run("create", "--name", "x", "--scope", "score", "--tenant", "Acme Inc")
    assert (tenant.exit_code, "tenant has 8 characters" in tenant.stderr) == (3, True)
    assert run("create", "--name", "x", "--scope", "everything").exit_code == 2
    assert len(listed(run)) == 1


def test_without_a_secret_it_says_how_to_make_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVENMATCH_KEYS_SECRET_FILE")
    result = run("list")
    assert (result.exit_code, "openssl rand -hex 32" in result.stderr) == (1, True)


def test_a_secret_that_others_can_read_is_refused(run: Run, secret_file: Path) -> None:
    secret_file.chmod(0o644)
    result = run("list")
    assert (result.exit_code, "has mode 0644" in result.stderr) == (1, True)


def test_keys_of_another_secret_are_marked(run: Run, secret_file: Path) -> None:
    created(run)
    secret_file.write_text("another secret of 32 characters or more")
    assert [key["status"] for key in listed(run).values()] == ["another secret"]


def test_keys_may_be_kept_in_a_file_without_a_database(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys.json"
    monkeypatch.setenv("EVENMATCH_KEYS_FILE", str(file))
    assert run("list").exit_code == 1
    key_id = "_".join(created(run).split("_")[:2])
    assert run("revoke", key_id).exit_code == 0
    assert listed(run)[key_id]["status"] == "revoked"
    assert not (tmp_path / DATABASE_FILE).exists()
