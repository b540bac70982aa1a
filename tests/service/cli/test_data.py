"""`evenmatch data`, beside a running service: everything about one person of one tenant, and nothing else."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import safetensors.numpy
from sqlalchemy import func, select
from typer.testing import CliRunner, Result

from service.cli import app as command_line
from service.core.bundle import Bundle
from service.runtime.cohort_traffic import FOLDER, SUFFIX
from service.store.chain import load_key
from service.store.log import DecisionLog
from service.store.recorder import DATABASE_FILE, SPOOL_FOLDER
from service.store.spool import Spool
from service.store.sqlite import sqlite_url
from service.store.tables import decisions, outcomes
from service.store.verification import verify
from tests.support.api import Api, start_api
from tests.support.cohorts import words
from tests.support.decision_logs import decision
from tests.support.jobs import finished
from tests.support.patience import PATIENCE, wait_until
from tests.support.tenants import PrincipalOfHeader, as_tenant

POSTING = {"id": "req-1", "title": words(300, 2), "description": words(301)}
PERSON, OTHER = "c-1", "c-2"


class Service:
    """Where `acme` and the default tenant both know somebody as `c-1`; `folder`: its data folder."""

    def __init__(self, api: Api, folder: Path) -> None:
        self.api, self.folder = api, folder
        self.go = threading.Event()

    def ask(self, tenant: str, method: str, path: str, **options: Any) -> Any:
        headers = as_tenant(tenant, **options.pop("headers", {}))
        answer = self.api.request(method, f"/v1{path}", headers=headers, **options)
        assert answer.status_code < 300, answer.text
        return answer

    def of_acme(self) -> Any:
        service = self

        class Acme:
            def get(self, url: str, /) -> Any:
                return service.ask("acme", "GET", url.removeprefix("/v1"))

        return Acme()

    def run(self, *arguments: str) -> Result:
        environment = {"EVENMATCH_DATA_DIR": str(self.folder)}
        return CliRunner().invoke(command_line, ["data", *arguments], env=environment)

    def exported(self, *arguments: str) -> dict[str, Any]:
        done = self.run("export", "--candidate", PERSON, *arguments)
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def service(tiny_bundle: Bundle, bge_like: Path, tmp_path: Path) -> Iterator[Service]:
    with ExitStack() as stack:
        api = start_api(
            stack,
            bge_like / "tokenizer.json",
            tmp_path,
            tiny_bundle,
            middleware=PrincipalOfHeader,
            collecting={"cohort_collect": True},
            jobs={"chunk_rows": 2},
        )
        made = Service(api, tmp_path)
        stack.callback(made.go.set)
        yield made


def people(seed: int) -> list[dict[str, Any]]:
    return [{"id": one, "resume": words(seed + i)} for i, one in enumerate((PERSON, OTHER))]


def test_a_person_is_handed_out_whole_and_erased_whole_while_the_service_runs(service: Service) -> None:
    keyed = {"Idempotency-Key": "k"}
    body = {"job": POSTING, "candidates": people(400)}
    results = service.ask("acme", "POST", "/score", json=body, headers=keyed).json()["results"]
    of_default = service.ask(
        "default", "POST", "/score", json={"job": POSTING, "candidates": people(500)}
    ).json()
    outcome = {"decision_id": results[0]["decision_id"], "outcome": "positive", "kind": "label"}
    service.ask("acme", "POST", "/outcomes", json=outcome)
    job = service.ask("acme", "POST", "/score/jobs", json={"job": POSTING, "candidates": people(600)}).json()
    finished(service.of_acme(), job["id"])
    begun = threading.Event()

    def wait(_: object) -> None:
        begun.set()
        service.go.wait()

    service.api.engine.before = wait
    waiting = {"job": POSTING, "candidates": people(700)}
    held = service.ask("acme", "POST", "/score/jobs", json=waiting).json()["id"]
    assert begun.wait(PATIENCE)
    wait_until(lambda: len(list((service.folder / FOLDER).glob(f"*/resume-*{SUFFIX}"))) == 4)

    assert (
        "several tenants (default, acme): name one by --tenant"
        in service.run("export", "--candidate", PERSON).stderr
    )
    found = service.exported("--tenant", "acme")
    assert found["decisions"][0]["decision_id"] == results[0]["decision_id"]
    assert len(found["decisions"]) == 2  # of the request, and of the first job
    assert found["decisions"][0]["outcomes"][0]["outcome"] == "positive"
    assert [one["event"] for one in found["decisions"][0]["outcome_history"]] == ["recorded"]
    of_request, of_block = (answer["results"] for answer in found["answers"])
    assert [one["decision_id"] for one in of_request] == [results[0]["decision_id"]]
    assert of_request[0]["raw_score"] == results[0]["raw_score"]
    assert [one["decision_id"] for one in of_block] == [found["decisions"][1]["decision_id"]]
    kinds = {one["kind"]: one["record"] for one in found["jobs"]}
    assert kinds.keys() == {"input", "results"}
    assert kinds["input"]["resume"] == words(700)
    assert kinds["results"]["decision_id"] == found["decisions"][1]["decision_id"]
    (vectors,) = found["collected_vectors"]
    assert "passages" in safetensors.numpy.load(base64.b64decode(vectors["safetensors"]))
    assert found["out_of_reach"] == {}
    text = json.dumps(found)
    foreign = [*(one["decision_id"] for one in of_default["results"]), results[1]["decision_id"]]
    assert not [one for one in (OTHER, words(701), words(601), *foreign) if one in text]

    first = service.run("erase", "--candidate", PERSON, "--tenant", "acme", "--wait", "0")
    report = json.loads(first.stdout)
    assert report["erased"] == {
        "decisions": 2,
        "outcomes": 1,
        "answers": 2,
        "job_rows": 1,
        "job_records": 1,
        "collected_vectors": 1,
    }
    # A worker has read the chunk before it was emptied, and will record what it makes of it.
    assert (first.exit_code, report["complete"], report["left"]) == (1, False, {"being_scored": 1})
    assert "erase again when they are done" in first.stderr
    service.go.set()
    finished(service.of_acme(), held)
    again = json.loads(service.run("erase", "--candidate", PERSON, "--tenant", "acme").stdout)
    assert (again["complete"], again["erased"]["decisions"], again["erased"]["job_records"]) == (True, 1, 1)

    nothing = service.exported("--tenant", "acme")
    for part in ("decisions", "spooled_decisions", "answers", "jobs", "collected_vectors"):
        assert nothing[part] == [], part
    assert len(service.exported("--tenant", "default")["decisions"]) == 1
    with service.api.database.connect() as connection:
        left = select(decisions.c.tenant, decisions.c.candidate_id).where(decisions.c.candidate_id == PERSON)
        assert [tuple(row) for row in connection.execute(left)] == [("default", PERSON)]
        assert connection.execute(select(func.count()).select_from(outcomes)).scalar_one() == 0
    with closing(_log(service.folder)) as log:
        assert verify(log).broken == 0
    repeated = service.run("erase", "--candidate", PERSON, "--tenant", "acme")
    assert (repeated.exit_code, json.loads(repeated.stdout)["erased"]["decisions"]) == (0, 0)


def _log(folder: Path) -> DecisionLog:
    return DecisionLog(sqlite_url(folder / DATABASE_FILE), load_key("", folder, create=True))


def data(folder: Path, *arguments: str) -> Result:
    environment = {"EVENMATCH_DATA_DIR": str(folder)}
    return CliRunner().invoke(command_line, ["data", *arguments], env=environment)


def test_decisions_on_their_way_to_the_database_are_found_and_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(_log(tmp_path)) as log:
        log.open()
        log.append([decision(1)])
        spool = Spool(tmp_path / SPOOL_FOLDER, log.key)
        spool.append([decision(7), decision(8), decision(9, candidate_id="c-7", tenant="acme")])
        found = json.loads(data(tmp_path, "export", "--candidate", "c-7").stdout)
        ids = [one["decision_id"] for one in found["spooled_decisions"]]
        assert ids == [decision(7).decision_id]
        at_once = data(tmp_path, "erase", "--candidate", "c-7", "--wait", "0")
        assert (at_once.exit_code, json.loads(at_once.stdout)["left"]) == (1, {"spooled": 1})

        def service_writes(_: float) -> None:
            log.append(spool.oldest(9))
            spool.drop_oldest()

        monkeypatch.setattr("service.jobs.personal_data.time.sleep", service_writes)
        done = data(tmp_path, "erase", "--candidate", "c-7", "--tenant", "default")
        spool.close()
        report = json.loads(done.stdout)
        assert (done.exit_code, report["complete"], report["erased"]["decisions"]) == (0, True, 1)
        with log.reading() as connection:
            query = select(decisions.c.candidate_id).order_by(decisions.c.sequence)
            assert connection.execute(query).scalars().all() == ["c-1", None, "c-8", "c-7"]


def test_a_tenant_of_whom_nothing_is_stored_is_refused(tmp_path: Path) -> None:
    with closing(_log(tmp_path)) as log:
        log.open()
        log.append([decision(1), decision(2, tenant="acme")])
    for command in ("export", "erase"):
        mistyped = data(tmp_path, command, "--candidate", "c-1", "--tenant", "amce")
        assert mistyped.exit_code == 3
        assert "nothing is stored of that tenant; there are: default, acme" in mistyped.stderr
        assert data(tmp_path, command, "--candidate", "c-1", "--tenant", "Not a name").exit_code == 2
    with closing(_log(tmp_path)) as log, log.reading() as connection:
        assert connection.execute(select(decisions.c.candidate_id)).scalars().all() == ["c-1", "c-2"]


def test_an_export_to_a_file_is_its_owners_only(tmp_path: Path) -> None:
    with closing(_log(tmp_path)) as log:
        log.open()
        log.append([decision(1)])
    file = tmp_path / "c-1.json"
    assert data(tmp_path, "export", "--candidate", "c-1", "--output", str(file)).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text())["decisions"][0]["groups"] == {"sex": "female"}
