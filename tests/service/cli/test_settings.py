from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"EVENMATCH_GROUPS": "{no JSON"}, "EVENMATCH_GROUPS is not JSON"),
        ({"EVENMATCH_GROUPS": '{"attributes": {"sex": 7}}'}, "setting EVENMATCH_GROUPS.attributes.sex: "),
        ({"EVENMATCH_PORT": "http"}, "setting EVENMATCH_PORT: "),
        ({"EVENMATCH_PREVALENCE": "1"}, "setting EVENMATCH_PREVALENCE: must be above 0 and below 1 "),
        ({"EVENMATCH_SECRETS_DIR": "/nowhere/at/all"}, "setting EVENMATCH_SECRETS_DIR: "),
    ],
)
def test_a_setting_that_makes_no_sense_is_wrong_usage(settings: dict[str, str], message: str) -> None:
    done = CliRunner().invoke(app, ["serve"], env=settings)
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())
    assert "no JSON" not in done.output


def test_a_secret_that_cannot_be_read_is_said_without_its_content(tmp_path: Path) -> None:
    (tmp_path / "evenmatch_bundle").write_bytes(b"hush \xff")
    done = CliRunner().invoke(app, ["serve"], env={"EVENMATCH_SECRETS_DIR": str(tmp_path)})
    assert done.exit_code == 2
    assert "the file of EVENMATCH_BUNDLE cannot be read" in " ".join(done.output.split())
    assert "hush" not in done.output


def test_serving_begins_with_a_warning_of_variables_that_are_no_settings() -> None:
    env = {"EVENMATCH_DATABSE_URL": "postgresql://hush", "EVENMATCH_HOST": "256.256.256.256"}
    done = CliRunner().invoke(app, ["serve"], env=env)
    assert done.exit_code == 1
    assert (
        "EVENMATCH_DATABSE_URL is no setting and is ignored; did you mean EVENMATCH_DATABASE_URL?"
        in done.output
    )
    assert "hush" not in done.output


def test_the_version_is_said_without_a_model_or_a_sound_environment() -> None:
    done = CliRunner().invoke(app, ["--version"], env={"EVENMATCH_PORT": "http", "EVENMATCH_BUNDLE": "/none"})
    assert (done.exit_code, done.output) == (0, f"evenmatch {metadata.version('evenmatch')}\n")
