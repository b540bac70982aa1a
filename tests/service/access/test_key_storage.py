"""Keys in a database and in a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from service.access.key_storage import DatabaseKeys, FileKeys, KeyStorage
from service.access.keys import KeySecret, revoked, rotated
from service.access.options import AccessOptions
from service.access.principal import Scope
from service.core.errors import ConfigurationError, InputError, UnknownKeyError
from service.store.key_tables import api_keys
from tests.support.access import NOW, SECRET, new_key


def check_a_storage(storage: KeyStorage) -> None:
    first, second = new_key(Scope.SCORE, tenant="acme"), new_key(expires=None)
    storage.add(first.record)
    storage.add(second.record)
    assert sorted(storage.all(), key=lambda key: key.id) == sorted(
        [first.record, second.record], key=lambda key: key.id
    )
    storage.change(second.record.id, lambda key: (revoked(key, NOW), None))
    rotation = rotated(first.record, KeySecret(SECRET), now=NOW, overlap=NOW - NOW, expires=None)
    storage.change(first.record.id, lambda _: (rotation[0], rotation[1].record))
    kept = {key.id: key for key in storage.all()}
    assert kept[second.record.id].revoked == NOW
    assert kept[first.record.id].expires == NOW
    assert kept[rotation[1].record.id] == rotation[1].record
    with pytest.raises(UnknownKeyError, match="there is no key evm_nobody"):
        storage.change("nobody", lambda key: (key, None))

    def refuse(_: object) -> tuple[object, None]:
        raise InputError("refused")

    with pytest.raises(InputError, match="refused"):
        storage.change(first.record.id, refuse)  # type: ignore[arg-type]
    assert {key.id: key for key in storage.all()} == kept


def test_keys_are_kept_in_a_database(engine: Engine) -> None:
    check_a_storage(DatabaseKeys(engine))


def test_keys_are_kept_in_a_file_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    check_a_storage(FileKeys(file))
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_scope_of_a_later_version_allows_nothing(sqlite: Engine) -> None:
    storage = DatabaseKeys(sqlite)
    storage.add(new_key(Scope.SCORE).record)
    with sqlite.begin() as connection:
        connection.execute(update(api_keys).values(scopes="score teleport"))
    assert storage.all()[0].scopes == {Scope.SCORE}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_a_file_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "keys.json"
    FileKeys(file).add(new_key().record)
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match=rf"keys_file: .*keys\.json has mode {mode:04o}.*chmod 600"):
        FileKeys(file).all()


def test_a_file_of_root_may_be_read_by_the_group_of_a_process_that_is_not_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys.json"
    FileKeys(file).add(new_key().record)
    if file.stat().st_uid != 0:
        pytest.skip("needs a file of root")
    file.chmod(0o640)
    monkeypatch.setattr(os, "geteuid", lambda: 10_001)
    assert len(FileKeys(file).all()) == 1
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="mode 0644"):
        FileKeys(file).all()


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda file: None, "cannot be read: No such file"),
        (lambda file: file.mkdir(), "cannot be read: Is a directory"),
        (lambda file: file.write_bytes(b"\xff\xfe"), "is not UTF-8"),
        (lambda file: file.write_text("not json"), "is not a file of keys: .*json_invalid"),
        (lambda file: file.write_text('{"keys": [{"id": "secret stuff"}]}'), r"keys\.0\.id string_pattern"),
    ],
)
def test_a_file_that_is_none_of_keys_is_named_and_not_quoted(
    tmp_path: Path, write: Callable[[Path], object], said: str
) -> None:
    file = tmp_path / "keys.json"
    write(file)
    if file.exists():
        file.chmod(0o600)
    with pytest.raises(ConfigurationError, match=said) as raised:
        FileKeys(file).all()
    assert "secret stuff" not in raised.value.message


def test_the_secret_is_a_setting_or_a_private_file_and_not_both(tmp_path: Path) -> None:
    file = tmp_path / "keys.secret"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o600)
    by_file = AccessOptions(keys_secret_file=file).secret()
    by_setting = AccessOptions(keys_secret=SECRET).secret()
    assert by_file is not None
    assert by_setting is not None
    assert by_file.id == by_setting.id
    assert AccessOptions().secret() is None
    with pytest.raises(ConfigurationError, match="both set"):
        AccessOptions(keys_secret=SECRET, keys_secret_file=file).secret()
    with pytest.raises(ConfigurationError, match="keys_file is set without keys_secret"):
        AccessOptions(keys_file=file).secret()
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match=r"keys_secret_file: .* has mode 0644"):
        AccessOptions(keys_secret_file=file).secret()
    file.chmod(0o600)
    file.write_text("\n")
    with pytest.raises(ConfigurationError, match="is empty"):
        AccessOptions(keys_secret_file=file).secret()
