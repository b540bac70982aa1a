"""`requirements` and `require` of batch jobs: the same facts, reasons and decisions as `/v1/score` gives."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.core.bundle import Bundle
from service.store.tables import answers, decisions
from tests.support.api import Api, start_api
from tests.support.jobs import CSV, JOB, NDJSON, OTHER_JOB, create, create_of, finished, json_lines, records

POSTING = {
    **JOB,
    "description": f"{JOB['description']}\nBachelor's degree required.\nPMP preferred.",
}
FIT = "senior backend engineer, python, java, built the payment service"
PEOPLE = [
    {"id": "school", "resume": f"{FIT}\nEducation\nHigh school diploma"},
    {"id": "degree", "resume": f"{FIT}\nEducation\nBSc in physics"},
    {"id": "silent", "resume": FIT},
]


@pytest.fixture(scope="module")
def api(tiny_bundle: Bundle, bge_like: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An app by whose threshold everybody here is selected."""
    rule = tiny_bundle.decision.model_copy(update={"threshold": 0.01, "borderline": (0.01, 0.01)})
    bundle = replace(tiny_bundle, decision=rule)
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("data")
        yield start_api(stack, bge_like / "tokenizer.json", folder, bundle, jobs={"chunk_rows": 2})


def test_a_job_lists_and_decides_as_score_does(api: Api) -> None:
    job = create(api, {"job": POSTING, "candidates": PEOPLE, "require": ["degree"]})
    done = finished(api, job)
    found = records(api, job)
    direct = api.post("/v1/score", json={"job": POSTING, "candidates": PEOPLE, "require": ["degree"]}).json()

    assert (done["requirements"], done["require"]) == (False, ["degree"])
    assert [one["reason"] for one in found] == ["requirement_not_found", None, None]
    same = ("candidate_id", "raw_score", "decision", "reason", "borderline", "requirements")
    assert [[one[name] for name in same] for one in found] == [
        [one[name] for name in same] for one in direct["results"]
    ]
    with api.database.connect() as connection:
        logged = select(decisions.c.candidate_id, decisions.c.decision)
        by_job = connection.execute(logged.where(decisions.c.request_id == f"job.{job}")).all()
        kept = str(connection.execute(select(answers.c.content)).scalars().all())
    assert dict(map(tuple, by_job)) == {
        "school": "not_selected",
        "degree": "selected",
        "silent": "selected",
    }
    assert "Bachelor" not in kept
    assert "diploma" not in kept


def test_lists_alone_change_no_decision(api: Api) -> None:
    job = create(api, {"jobs": [POSTING, OTHER_JOB], "candidates": PEOPLE, "requirements": True})
    finished(api, job)
    found = records(api, job)
    assert {one["decision"] for one in found} == {"selected"}
    assert {one["reason"] for one in found} == {None}
    assert [
        [(of["kind"], of["found"], of["required"]) for of in one["requirements"]]
        for one in found
        if one["job_index"] == 0
    ] == [[("degree", says, True), ("certification", "unknown", False)] for says in ("no", "yes", "unknown")]
    assert [one["requirements"] for one in found if one["job_index"] == 1] == [[], [], []]


def test_nothing_is_listed_unless_asked_for(api: Api) -> None:
    job = create(api, {"job": POSTING, "candidates": PEOPLE[:1]})
    done = finished(api, job)
    (record,) = records(api, job)
    assert (done["requirements"], done["require"]) == (False, [])
    assert record.keys().isdisjoint(("reason", "requirements"))
    header = api.get(f"/v1/score/jobs/{job}/results", params={"format": "csv"}).text.splitlines()[0]
    assert "requirements" not in header


def test_rows_are_held_against_the_requirements_of_their_own_postings(api: Api) -> None:
    """As CSV in and out, with two rows that share a posting."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "resume", "job_id", "job_description"])
    for one, posting in zip(PEOPLE, (POSTING, POSTING, OTHER_JOB), strict=True):
        writer.writerow([one["id"], one["resume"], posting["id"], posting["description"]])
    job = create_of(api, out.getvalue().encode(), CSV, require="true")
    finished(api, job)
    answer = api.get(f"/v1/score/jobs/{job}/results", params={"format": "csv"}).text
    rows = {one["candidate_id"]: one for one in csv.DictReader(io.StringIO(answer))}
    assert {name: (of["decision"], of["reason"], of["requirements"]) for name, of in rows.items()} == {
        "school": ("not_selected", "requirement_not_found", "degree:no certification:unknown:preferred"),
        "degree": ("selected", "", "degree:yes certification:unknown:preferred"),
        "silent": ("selected", "", ""),
    }


def test_a_chunk_that_was_recorded_before_has_its_requirements_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies between recording and keeping leaves the chunk to another, which reads no resume."""
    scorer = api.app.state.jobs.worker._scorer  # type: ignore[attr-defined]  # TestClient's app is FastAPI's
    chunks: list[Any] = []
    score = type(scorer).score

    async def twice(self: Any, prepared: Any, rows: Any, **places: int) -> Any:
        first = await score(self, prepared, rows, **places)
        chunks.append((first, await score(self, prepared, rows, **places)))
        return chunks[-1][1]

    monkeypatch.setattr(type(scorer), "score", twice)
    lines = json_lines(*({**one, "job": POSTING} for one in PEOPLE))
    job = create_of(api, lines, NDJSON, require=["degree", "licence"])
    finished(api, job)
    assert len(chunks) == 2
    assert all(first == again for first, again in chunks)
    assert [one["requirements"][0]["found"] for one in records(api, job)] == ["no", "yes", "unknown"]


def test_the_same_key_with_other_requirements_is_another_job(api: Api) -> None:
    headers = {"Idempotency-Key": "requirements-1"}
    body = {"job": POSTING, "candidates": PEOPLE[:1]}
    assert create(api, {**body, "require": ["degree", "years"]}, **headers) == create(
        api, {**body, "require": ["years", "degree"]}, **headers
    )
    assert api.post("/v1/score/jobs", json=body, headers=headers).status_code == 409


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"require": ["age"]}, "require"),
        ({"requirements": True, "jobs": [POSTING] * 51, "job": None}, "jobs"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(api: Api, options: dict[str, Any], field: str) -> None:
    body = {"job": POSTING, "candidates": PEOPLE[:1], **options}
    answer = api.post("/v1/score/jobs", json=body)
    assert answer.status_code == 422
    named = answer.json()["errors"]
    assert named[0]["field"].startswith(field), answer.text
