"""`evenmatch report --from-store`: the API's report, and that of a file of the same decisions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from typer.testing import Result

from service.api.thread_pools import ThreadPools
from service.serving.app import create_app
from service.settings import Settings
from service.store.database import migrate, open_database
from service.store.decisions import Decision
from service.store.sqlite import sqlite_url
from tests.service.cli.test_report import report
from tests.support.stored import BUNDLE, decision, store

MADE = datetime.now(UTC) - timedelta(hours=30)


def decisions() -> list[Decision]:
    """Women are selected half as often as men; scores differ, some are equal."""
    people = [
        (100, "female", "white", 0.9),
        (400, "female", "asian", 0.2),
        (200, "male", "asian", 0.8),
        (300, "male", "white", 0.1),
        (7, None, None, 0.7),
    ]
    rows = [(s, r, score + i % 9 / 1e6) for n, s, r, score in people for i in range(n)]
    return [
        decision(
            i,
            {name: group for name, group in (("sex", sex), ("race_ethnicity", race)) if group},
            score=score,
            time=MADE,
        )
        for i, (sex, race, score) in enumerate(rows)
    ]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(sqlite_url(tmp_path / "decisions.sqlite"))
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def stored(engine: Engine, tmp_path: Path) -> Path:
    """A data folder with these decisions."""
    store(engine, decisions())
    return tmp_path


def from_store(data_dir: Path, *arguments: str | Path, **environment: str) -> Result:
    return report("--from-store", *arguments, EVENMATCH_DATA_DIR=str(data_dir), **environment)


def numbers(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text())
    del document["created"]
    return document


def test_the_numbers_are_those_of_the_api(stored: Path, tmp_path: Path) -> None:
    done = from_store(stored, "--window", "7d", "--source", "the log", "--output", tmp_path / "r.json")
    assert done.exit_code == 0, done.output
    assert (
        "Adverse impact is indicated: Female 20.0% (100 of 500) against Male 40.0% (200 of 500)"
        in done.stdout
    )
    app = create_app(Settings(store={"data_dir": stored}))
    app.state.pools = ThreadPools()
    app.state.database = open_database(sqlite_url(stored / "decisions.sqlite"))
    client = TestClient(app, base_url="http://localhost")
    answer = client.get("/v1/fairness/report?window=7d&source=the log").json()
    app.state.database.dispose()
    del answer["created"]
    assert numbers(tmp_path / "r.json") == answer


def test_the_numbers_are_those_of_a_file_of_the_same_decisions(stored: Path, tmp_path: Path) -> None:
    rows = ["decision,sex,race_ethnicity,score,time"]
    for one in decisions():
        groups = [one.groups.get(name, "") for name in ("sex", "race_ethnicity")]
        score = repr(one.calibrated_probability)
        rows.append(",".join([one.decision, *groups, score, one.time.isoformat()]))
    file = tmp_path / "decisions.csv"
    file.write_text("\n".join(rows) + "\n")
    assert report(file, "--output", tmp_path / "file.json").exit_code == 0
    assert from_store(stored, "--output", tmp_path / "store.json").exit_code == 0
    of_file, of_store = numbers(tmp_path / "file.json"), numbers(tmp_path / "store.json")
    assert of_store["attributes"] == of_file["attributes"]
    assert of_store["findings"] == of_file["findings"]
    for name in ("people", "scored", "median_score", "first_decision", "last_decision"):
        assert of_store["data"][name] == of_file["data"][name]


def test_window_and_bundle_are_options(stored: Path, engine: Engine, tmp_path: Path) -> None:
    store(engine, [decision(5_000, {"sex": "male"}, time=MADE - timedelta(days=9))])

    def people(*arguments: str) -> int:
        done = from_store(stored, *arguments, "--output", tmp_path / "r.json")
        assert done.exit_code == 0, done.output
        count: int = numbers(tmp_path / "r.json")["data"]["people"]
        return count

    assert people() == 1_008
    assert people("--window", "3d") == 1_007
    assert people("--since", (MADE - timedelta(days=10)).isoformat(), "--until", MADE.isoformat()) >= 1
    assert people("--window", "all", "--bundle", "d" * 64) == 0
    assert people("--bundle", BUNDLE) == 1_008


def test_an_empty_store_is_said_to_be_empty(engine: Engine, tmp_path: Path) -> None:
    done = from_store(tmp_path, "--output", tmp_path / "r.html")
    assert done.exit_code == 0
    assert "not computable: there are no decisions" in done.stdout
    assert "There are no decisions" in (tmp_path / "r.html").read_text()


def test_without_a_store_there_is_no_report(tmp_path: Path) -> None:
    done = from_store(tmp_path / "gone", "--output", tmp_path / "r.html")
    assert done.exit_code == 1
    assert "the database of decisions does not answer" in done.stderr
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--window", "soon"], 3, "window is a number of hours or days"),
        (["--window", "7d", "--since", "2026-01-01T00:00:00Z"], 3, "exclude each other"),
        (["--since", "2026-01-01"], 2, "--since takes an ISO 8601 time"),
        (["--until", "Jane"], 2, "--until takes an ISO 8601 time"),
        (["--ground-truth", "rumour"], 2, "EVENMATCH_GROUND_TRUTH"),
        (["decisions.csv"], 2, "name a file of decisions, or say --from-store"),
        (["--group-column", "sex=gender"], 2, "are for a file"),
        (["--decision-column", "hired"], 2, "are for a file"),
        (["--bundle", "minilm-fair"], 2, "digest of 64 hexadecimal digits"),
    ],
)
def test_wrong_usage_is_refused(stored: Path, arguments: list[str], code: int, message: str) -> None:
    done = from_store(stored, *arguments)
    assert done.exit_code == code
    assert message in done.stderr
    assert "Jane" not in done.output


def test_a_file_takes_no_window(stored: Path) -> None:
    done = report(stored / "d.csv", "--window", "7d")
    assert done.exit_code == 2
    assert "are for --from-store" in done.stderr
    assert report().exit_code == 2
