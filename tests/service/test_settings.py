from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from service.settings import BUNDLES, Settings


def test_the_environment_sets_what_the_command_line_leaves_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENMATCH_PORT", "9000")
    monkeypatch.setenv("EVENMATCH_HOST", "0.0.0.0")
    monkeypatch.setenv("EVENMATCH_GROUPS", '{"attributes": {"veteran": ["yes", "no"]}, "intersections": []}')
    settings = Settings(host="127.0.0.2")
    assert (settings.host, settings.port) == ("127.0.0.2", 9000)
    assert settings.groups.attributes == {"veteran": ("yes", "no")}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EVENMATCH_PORT", "70000"),
        ("EVENMATCH_ENGINE", "tpu"),
        ("EVENMATCH_QUEUE_TOKENS", "100"),
        ("EVENMATCH_MAX_CANDIDATES", "0"),
        ("EVENMATCH_WORKERS", "0"),
        ("EVENMATCH_SHADOW_AUDIT_SHARE", "1.5"),
        ("EVENMATCH_SHADOW_AUDIT_NAMES", "1"),
        ("EVENMATCH_SHADOW_AUDIT_ATTRIBUTES", '["name", "name"]'),
        ("EVENMATCH_SHADOW_AUDIT_ATTRIBUTES", "[]"),
        ("EVENMATCH_RETENTION_DAYS", "182"),  # six months are the least
        ("EVENMATCH_STORE_FAILURE", "ignore"),
        ("EVENMATCH_GROUPS", '{"attributes": {"sex": []}}'),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()


def test_a_bundle_is_a_name_or_a_folder(tmp_path: Path) -> None:
    assert Settings().bundle_path == BUNDLES / "minilm-fair"
    assert Settings(bundle=str(tmp_path)).bundle_path == tmp_path
    assert Settings(bundle="~/mine").bundle_path == Path.home() / "mine"


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENMATCH_LOG_KEY", "swordfish-swordfish")
    monkeypatch.setenv("EVENMATCH_DATABASE_URL", "postgresql://user:swordfish@host/db")
    settings = Settings()
    assert settings.store_options().key == "swordfish-swordfish"
    assert "swordfish" not in f"{settings!r} {settings}"


def test_secrets_are_read_from_files_and_the_environment_goes_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "evenmatch_bundle").write_text("from-a-file\n")
    (tmp_path / "evenmatch_port").write_text("9000")
    monkeypatch.setenv("EVENMATCH_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("EVENMATCH_PORT", "9001")
    settings = Settings()
    assert (settings.bundle, settings.port) == ("from-a-file", 9001)


def test_a_folder_of_secrets_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="secrets_dir"):
        Settings(secrets_dir=tmp_path / "gone")
