"""`--tenant` of the commands that read what is stored, and `evenmatch tenants`."""

from __future__ import annotations

import base64
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook
from typer.testing import CliRunner, Result

from service.cli import app
from service.store.chain import load_key
from service.store.log import DecisionLog
from service.store.recorder import DATABASE_FILE
from service.store.sqlite import sqlite_url
from tests.support.decision_logs import decision

SECRET = "whsec_" + base64.b64encode(b"s" * 24).decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two decisions of the default tenant, and one of `acme`."""
    made = tmp_path_factory.mktemp("data")
    log = DecisionLog(sqlite_url(made / DATABASE_FILE), load_key("", made, create=True))
    with closing(log):
        log.open()
        now = datetime.now(UTC) - timedelta(hours=2)
        log.append([decision(1, time=now), decision(2, time=now), decision(3, time=now, tenant="acme")])
    return made


def run(folder: Path, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"EVENMATCH_DATA_DIR": str(folder), **environment})


@pytest.mark.parametrize(
    ("tenant", "people", "note"),
    [
        (["--tenant", "default"], 2, None),
        (["--tenant", "acme"], 1, "Only decisions of tenant acme are counted."),
        (["--all-tenants"], 3, "Decisions of all tenants of the service are counted together."),
    ],
)
def test_a_report_is_of_one_tenant_or_says_that_it_is_of_all(
    folder: Path, tmp_path: Path, tenant: list[str], people: int, note: str | None
) -> None:
    file = tmp_path / "report.json"
    done = run(folder, "report", "--from-store", *tenant, "--output", str(file))
    assert done.exit_code == 0, done.output
    made = json.loads(file.read_text())
    assert (made["data"]["people"], note is None or note in made["limitations"]) == (people, True)


def test_an_export_of_all_has_a_column_with_whose_each_is(folder: Path, tmp_path: Path) -> None:
    lines = {}
    for name, tenant in (("one", ["--tenant", "acme"]), ("all", ["--all-tenants"])):
        file = tmp_path / f"{name}.csv"
        assert run(folder, "log", "export", str(file), *tenant).exit_code == 0
        lines[name] = file.read_text().splitlines()
    assert (len(lines["one"]), "tenant" in lines["one"][0].split(",")) == (2, False)
    at = lines["all"][0].split(",").index("tenant")
    assert [line.split(",")[at] for line in lines["all"][1:]] == ["default", "default", "acme"]


@pytest.mark.parametrize(
    "command",
    [
        ["report", "--from-store"],
        ["log", "export", "x.csv"],
        ["log", "erase", "--candidate", "c-1"],
        ["data", "erase", "--candidate", "c-1"],
        ["calibrate", "--from-store"],
    ],
)
def test_whose_must_be_said_where_there_are_several(folder: Path, command: list[str]) -> None:
    done = run(folder, *command)
    assert done.exit_code == 2, done.output
    assert "several tenants (default, acme): name one by --tenant" in done.stderr


def test_options_that_exclude_each_other_are_refused(folder: Path) -> None:
    both = run(folder, "report", "--from-store", "--tenant", "acme", "--all-tenants")
    assert (both.exit_code, "exclude each other" in both.stderr) == (2, True)
    assert run(folder, "cohort", "build", "--output", "x", "--tenant", "acme").exit_code == 2


def test_tenants_are_listed_with_what_is_kept_of_them(folder: Path) -> None:
    done = run(folder, "tenants", "list")
    assert done.stdout.splitlines() == [
        "default\t2 decisions\t0 batch jobs",
        "acme\t1 decisions\t0 batch jobs",
    ]


def test_each_tenants_webhooks_have_a_secret_of_their_own(folder: Path) -> None:
    def secret(tenant: str) -> str:
        done = run(folder, "tenants", "webhook-secret", tenant, EVENMATCH_JOBS_WEBHOOK_SECRET=SECRET)
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    assert secret("default") == SECRET
    acme, zeta = secret("acme"), secret("zeta")
    assert len({SECRET, acme, zeta}) == 3
    assert secret("acme") == acme
    signed = Webhook(acme).sign("msg_1", datetime.now(UTC), "{}")
    assert signed != Webhook(zeta).sign("msg_1", datetime.now(UTC), "{}")
    assert run(folder, "tenants", "webhook-secret", "acme").exit_code == 2
