from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from service.runtime.options import BUNDLES
from service.settings import Settings, all_settings, unknown_variables

VERSION_0_1 = """
HOST PORT DATA_DIR MODELS_DIR SECRETS_DIR BUNDLE BASE_MODEL ENGINE THREADS WORKERS BATCH_TOKENS QUEUE_TOKENS
CACHE_MIB STALL_SECONDS READY_SECONDS DRAIN_SECONDS START_SECONDS KEEP_ALIVE_SECONDS HEADER_SECONDS
BODY_SECONDS WRITE_SECONDS MAX_CONNECTIONS MAX_CANDIDATES MAX_INPUTS MAX_AUDIT_TEXTS MAX_TEXT_CHARACTERS
MAX_AUDIT_CHARACTERS MAX_PASSAGES MAX_BODY_BYTES MAX_INFLIGHT_BYTES MAX_REQUESTS REDACT_CATEGORIES
REDACT_ENTITIES SHADOW_AUDIT_SHARE SHADOW_AUDITS_PER_REQUEST SHADOW_AUDIT_ATTRIBUTES SHADOW_AUDIT_NAMES
SHADOW_AUDIT_CONTROLS SHADOW_AUDIT_BARE SHADOW_AUDIT_BACKLOG SHADOW_AUDIT_SECONDS GROUPS DATABASE_URL
DATABASE_SECONDS DURABLE STORE_FAILURE RETENTION_DAYS LOG_KEY GROUND_TRUTH MAX_OUTCOMES CLOCK_SKEW_SECONDS
FAIRNESS_SECONDS LOG_LEVEL
"""


def test_the_environment_sets_what_the_command_line_leaves_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENMATCH_PORT", "9000")
    monkeypatch.setenv("EVENMATCH_HOST", "0.0.0.0")
    monkeypatch.setenv("EVENMATCH_GROUPS", '{"attributes": {"veteran": ["yes", "no"]}, "intersections": []}')
    settings = Settings(server={"host": "127.0.0.2"})
    assert (settings.server.host, settings.server.port) == ("127.0.0.2", 9000)
    assert settings.fairness.groups.attributes == {"veteran": ("yes", "no")}


def test_variables_of_earlier_versions_still_work() -> None:
    names = {name for setting in all_settings() for name in setting.names}
    assert {f"EVENMATCH_{name}" for name in VERSION_0_1.split()} <= names


def test_no_name_means_two_settings() -> None:
    names = [name for setting in all_settings() for name in setting.names]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", ["EVENMATCH_DURABLE", "EVENMATCH_STORE_DURABLE", "evenmatch_store_durable"])
def test_a_variable_works_with_its_part_and_without(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "false")
    assert Settings().store.durable is False


def test_an_earlier_name_sets_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENMATCH_SHADOW_AUDIT_BARE", "true")
    monkeypatch.setenv("EVENMATCH_SHADOW_AUDIT_UNREDACTED", "true")
    assert Settings().shadow_audit.unredacted is True


def test_two_names_of_a_setting_may_not_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENMATCH_DURABLE", "false")
    monkeypatch.setenv("EVENMATCH_STORE_DURABLE", "true")
    with pytest.raises(SettingsError, match=r"EVENMATCH_DURABLE and EVENMATCH_STORE_DURABLE .* different"):
        Settings()


def test_an_unknown_variable_is_named_with_the_closest_setting_and_without_its_value() -> None:
    given = {
        "EVENMATCH_DATABSE_URL": "postgresql://secret",
        "EVENMATCH_PORT": "1",
        "evenmatch_host": "",
        "HOME": "/",
    }
    (warning,) = unknown_variables(given)
    assert re.fullmatch(r"EVENMATCH_DATABSE_URL is no setting .* EVENMATCH_DATABASE_URL\?", warning)
    assert "secret" not in warning


KUBERNETES = {
    "EVENMATCH_PORT": "tcp://10.96.12.3:8000",
    "EVENMATCH_SERVICE_HOST": "10.96.12.3",
    "EVENMATCH_SERVICE_PORT": "8000",
    "EVENMATCH_SERVICE_PORT_HTTP": "8000",
    "EVENMATCH_PORT_8000_TCP": "tcp://10.96.12.3:8000",
    "EVENMATCH_PORT_8000_TCP_PROTO": "tcp",
    "EVENMATCH_PORT_8000_TCP_PORT": "8000",
    "EVENMATCH_PORT_8000_TCP_ADDR": "10.96.12.3",
}
"""What a pod has in its environment where there is a Service named `evenmatch`."""


def test_what_kubernetes_sets_for_a_service_of_this_name_is_ignored_and_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in KUBERNETES.items():
        monkeypatch.setenv(name, value)
    assert Settings().server.port == 8000
    (warning,) = unknown_variables(KUBERNETES)
    assert warning.startswith("8 variables, among them EVENMATCH_PORT, are what Kubernetes")
    monkeypatch.setenv("EVENMATCH_SERVER_PORT", "9000")
    assert Settings().server.port == 9000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EVENMATCH_PORT", "70000"),
        ("EVENMATCH_ENGINE", "tpu"),
        ("EVENMATCH_QUEUE_TOKENS", "100"),
        ("EVENMATCH_MAX_CANDIDATES", "0"),
        ("EVENMATCH_MAX_INFLIGHT_BYTES", "1024"),
        ("EVENMATCH_WORKERS", "0"),
        ("EVENMATCH_REDACT_CATEGORIES", "shoe_size"),
        ("EVENMATCH_SHADOW_AUDIT_SHARE", "1.5"),
        ("EVENMATCH_SHADOW_AUDIT_NAMES", "1"),
        ("EVENMATCH_SHADOW_AUDIT_ATTRIBUTES", '["name", "name"]'),
        ("EVENMATCH_SHADOW_AUDIT_ATTRIBUTES", "[]"),
        ("EVENMATCH_RETENTION_DAYS", "182"),  # six months are the least
        ("EVENMATCH_STORE_FAILURE", "ignore"),
        ("EVENMATCH_GROUPS", '{"attributes": {"sex": []}}'),
        ("EVENMATCH_METRICS_TENANTS", '["acme", "acme"]'),
        ("EVENMATCH_METRICS_TENANTS", '["acme", "other"]'),  # which stands for all that are not named
        ("EVENMATCH_METRICS_TENANTS", '["Acme Corp"]'),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()


def test_lists_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENMATCH_REDACT_CATEGORIES", '["name", "email"]')
    monkeypatch.setenv("EVENMATCH_SHADOW_AUDIT_ATTRIBUTES", '["name"]')
    settings = Settings()
    assert settings.redaction.categories == ("name", "email")
    assert settings.shadow_audit.attributes == ("name",)


def test_a_bundle_is_a_name_or_a_folder(tmp_path: Path) -> None:
    def path_of(bundle: str) -> Path:
        return Settings(model={"bundle": bundle}).model.bundle_path

    assert Settings().model.bundle_path == BUNDLES / "minilm-fair"
    assert path_of(str(tmp_path)) == tmp_path
    assert path_of("~/mine") == Path.home() / "mine"


def test_what_is_written_lies_in_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENMATCH_DATA_DIR", "~/elsewhere")
    settings = Settings()
    assert settings.runtime.cache == Path.home() / "elsewhere" / "models"
    assert settings.store.url == f"sqlite:///{Path.home()}/elsewhere/decisions.sqlite"


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENMATCH_LOG_KEY", "swordfish-swordfish")
    monkeypatch.setenv("EVENMATCH_DATABASE_URL", "postgresql://user:swordfish@host/db")
    settings = Settings()
    assert settings.store.log_key.get_secret_value() == "swordfish-swordfish"
    assert "swordfish" not in f"{settings!r} {settings}"


def test_secrets_are_read_from_files_and_the_environment_goes_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "evenmatch_bundle").write_text("from-a-file\n")
    (tmp_path / "evenmatch_port").write_text("9000")
    (tmp_path / "evenmatch_store_log_key").write_text("a key with its part")
    monkeypatch.setenv("EVENMATCH_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("EVENMATCH_PORT", "9001")
    settings = Settings()
    assert (settings.model.bundle, settings.server.port) == ("from-a-file", 9001)
    assert settings.store.log_key.get_secret_value() == "a key with its part"


def test_links_within_the_folder_of_secrets_are_followed_and_others_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = tmp_path / "secrets"
    (secrets / "..data").mkdir(parents=True)
    (secrets / "..data" / "evenmatch_log_key").write_text("as Kubernetes mounts it")
    (secrets / "evenmatch_log_key").symlink_to("..data/evenmatch_log_key")
    monkeypatch.setenv("EVENMATCH_SECRETS_DIR", str(secrets))
    assert Settings().store.log_key.get_secret_value() == "as Kubernetes mounts it"
    (tmp_path / "outside").write_text("hush")
    (secrets / "evenmatch_bundle").symlink_to(tmp_path / "outside")
    with pytest.raises(SettingsError, match="EVENMATCH_BUNDLE"):
        Settings()


def test_a_folder_of_secrets_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="secrets_dir"):
        Settings(secrets_dir=tmp_path / "gone")


def test_a_blank_variable_is_not_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usual = Settings()
    for setting in all_settings():
        for name in setting.names:
            monkeypatch.setenv(name, "")
    assert Settings() == usual
    monkeypatch.setenv("EVENMATCH_RETENTION_DAYS", " ")
    monkeypatch.setenv("EVENMATCH_STORE_RETENTION_DAYS", "400")
    assert Settings().store.retention_days == 400

    (tmp_path / "evenmatch_retention_days").write_text("500\n")
    monkeypatch.setenv("EVENMATCH_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("EVENMATCH_STORE_RETENTION_DAYS", "")
    assert Settings().store.retention_days == 500


def test_a_user_without_a_home_needs_a_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def no_home(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", no_home)
    monkeypatch.setenv("EVENMATCH_DATA_DIR", str(tmp_path))
    assert Settings().store.data_dir == tmp_path
    monkeypatch.setenv("EVENMATCH_DATA_DIR", "~/data")
    with pytest.raises(ValidationError, match="set EVENMATCH_DATA_DIR"):
        Settings()
