"""`evenmatch score` on files, with the real model."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Server, command, environment
from tests.e2e.texts import BACKEND_JOB, ENGINEER, NURSE
from tests.support import forked
from tests.support.patience import PATIENCE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("job", BACKEND_JOB["description"]), ("engineer", ENGINEER), ("nurse", NURSE)):
        (tmp_path / f"{name}.txt").write_text(text)
    (tmp_path / "empty.txt").write_text(" \n ")
    with (tmp_path / "many.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["applicant", "cv"])
        writer.writerows([f"a-{i}", f"{ENGINEER if i % 2 else NURSE}\nNumber {i}"] for i in range(40))
    return tmp_path


def score(server: Server, data_dir: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it. `server` has made the converted model before."""
    env = environment(data_dir, COLUMNS="100")
    return forked.run(forked.command_line, ["score", "--job", "job.txt", *arguments], env, folder)


@pytest.mark.slow
def test_a_ranked_table_is_printed(server: Server, data_dir: Path, folder: Path) -> None:
    """The program as it is installed."""
    done = subprocess.run(
        command("score", "--job", "job.txt", "--title", "Backend Engineer", "nurse.txt", "engineer.txt"),
        cwd=folder,
        env=environment(data_dir, COLUMNS="100"),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("│") for line in done.stdout.splitlines() if line.startswith("│")]
    assert [(row[1].strip(), row[2].strip(), row[5].strip()) for row in rows] == [
        ("1", "engineer", "selected"),
        ("2", "nurse", "not_selected"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_a_table_of_resumes_is_scored_into_a_file(
    server: Server, data_dir: Path, folder: Path, suffix: str
) -> None:
    columns = ("--id-column", "applicant", "--text-column", "cv")
    done = score(server, data_dir, folder, "many.csv", *columns, "--output", f"out.{suffix}")
    assert done.returncode == 0, done.stderr
    with (folder / f"out.{suffix}").open(newline="") as stream:
        records = list(csv.DictReader(stream)) if suffix == "csv" else [json.loads(line) for line in stream]
    assert len(records) == 40
    scores = [float(r["raw_score"]) for r in records]
    assert scores == sorted(scores, reverse=True)
    assert all(int(r["candidate_id"][2:]) % 2 == 1 for r in records[:20])
    assert "Harbor Payments" not in done.stdout + done.stderr


def test_command_line_and_service_agree(server: Server, data_dir: Path, folder: Path) -> None:
    import httpx

    score(server, data_dir, folder, "engineer.txt", "--output", "out.jsonl")
    record = json.loads((folder / "out.jsonl").read_text())
    body = {
        "job": {"description": BACKEND_JOB["description"]},
        "candidates": [{"id": "engineer", "resume": ENGINEER}],
    }
    (result,) = httpx.post(f"{server.url}/v1/score", json=body, timeout=PATIENCE).json()["results"]
    assert record["raw_score"] == result["raw_score"]
    assert record["calibrated_probability"] == result["calibrated_probability"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["engineer.txt", "empty.txt"], 3, "empty.txt holds no text"),
        (["gone.txt"], 3, "gone.txt cannot be read"),
        (["many.csv", "--id-column", "who"], 3, "no column 'who'; it has applicant, cv; name another with"),
        (["engineer.txt", "--output", "out.xlsx"], 2, "must end in .csv, .jsonl or .parquet"),
        (["engineer.txt", "--bundle", "./gone"], 1, "no bundle at gone"),
        ([], 2, "Missing argument"),
    ],
)
def test_exit_status_and_message_say_what_is_wrong(
    server: Server, data_dir: Path, folder: Path, arguments: list[str], status: int, message: str
) -> None:
    done = score(server, data_dir, folder, *arguments)
    assert done.returncode == status
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not list(folder.glob("out.*"))


NAMED = "Emily Walsh\nemily.walsh@example.org\n\nShe studied at the University of Leeds.\n" + ENGINEER


def run(server: Server, data_dir: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.run(forked.command_line, arguments, environment(data_dir, COLUMNS="120"), folder)


def test_a_resume_is_redacted_to_standard_output(server: Server, data_dir: Path, folder: Path) -> None:
    (folder / "named.txt").write_text(NAMED)
    done = run(server, data_dir, folder, "redact", "named.txt")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[NAME]\n[EMAIL]\n\n[PRONOUN] studied at [SCHOOL].\n")
    assert "named: 2 name, 2 email, 1 phone, 1 pronoun, 1 school" in done.stderr


@pytest.mark.slow
def test_resumes_are_redacted_into_files(server: Server, data_dir: Path, folder: Path) -> None:
    (folder / "named.txt").write_text(NAMED)
    assert (
        run(server, data_dir, folder, "redact", "named.txt", "nurse.txt", "--output", "out").returncode == 0
    )
    assert (folder / "out" / "named.txt").read_text().startswith("[NAME]")
    assert run(server, data_dir, folder, "redact", "named.txt", "--output", "out.jsonl").returncode == 0
    record = json.loads((folder / "out.jsonl").read_text())
    assert record["id"] == "named"
    assert record["redactions"]["school"] == 1
    wrong = run(server, data_dir, folder, "redact", "named.txt", "--categories", "shoes")
    assert wrong.returncode == 2
    assert "takes names out of: name, email" in wrong.stderr


def test_an_audit_prints_a_table_and_writes_reports(server: Server, data_dir: Path, folder: Path) -> None:
    (folder / "named.txt").write_text(NAMED)
    (folder / "nameless.txt").write_text("Summary\nTwelve years of building REST services in Python.\n")
    reports = (
        "--json",
        "a.json",
        "--html",
        "a.html",
        "--no-redact",
        "--attributes",
        "name,pronoun,postal_code",
    )
    done = run(server, data_dir, folder, "audit", "--job", "job.txt", "named.txt", "nameless.txt", *reports)
    assert done.returncode == 0, done.stderr
    assert "Name: Asian / Female" in done.stdout
    assert "control: benign edits" in done.stdout
    report = json.loads((folder / "a.json").read_text())["report"]
    assert report["names_placed"] == ["nameless"]
    assert report["missing"]["postal_code"] == {"no_us_postal_code_found": 2}
    html = (folder / "a.html").read_text()
    assert "<svg" in html
    assert "Walsh" not in html
    assert "Walsh" not in done.stdout


def test_an_unusable_audit_says_why(server: Server, data_dir: Path, folder: Path) -> None:
    done = run(server, data_dir, folder, "audit", "--job", "job.txt", "nurse.txt", "--names-per-group", "1")
    assert done.returncode == 3
    assert "names_per_group is 1; 2 to 20 are allowed" in done.stderr
    done = run(server, data_dir, folder, "audit", "--job", "job.txt", "nurse.txt", "--attributes", "shoes")
    assert done.returncode == 2


@pytest.mark.slow
def test_what_a_file_is_and_what_was_skipped_is_said(server: Server, data_dir: Path, folder: Path) -> None:
    (folder / "cv.pdf").write_bytes(b"%PDF-1.7\n1 0 obj")
    (folder / "windows.txt").write_bytes(f"José Núñez\n{ENGINEER}".encode("cp1252"))
    (folder / "wide.txt").write_bytes(ENGINEER.encode("utf-16"))
    (folder / "cv.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    files = ("cv.pdf", "engineer.txt", "windows.txt", "empty.txt", "wide.txt", "cv.png")
    done = score(server, data_dir, folder, *files, "--output", "out.jsonl")
    assert done.returncode == 3
    said = " ".join(done.stderr.split())
    assert "cv.pdf is damaged" in said
    assert "cv.png is an image (PNG)" in said
    assert "windows.txt" not in said
    assert "empty.txt holds no text" in said
    assert not (folder / "out.jsonl").exists()
    done = score(server, data_dir, folder, *files, "--output", "out.jsonl", "--skip-unreadable")
    assert done.returncode == 5, done.stderr
    records = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert {record["candidate_id"] for record in records} == {"engineer", "wide", "windows"}
    assert len({record["raw_score"] for record in records if record["candidate_id"] != "windows"}) == 1
    assert " ".join(done.stderr.split()).count("skipped:") == 3


@pytest.mark.slow
def test_warnings_stand_beside_a_score(server: Server, data_dir: Path, folder: Path) -> None:
    (folder / "scan.txt").write_text("Scanned with a phone")
    done = score(server, data_dir, folder, "scan.txt", "engineer.txt")
    assert done.returncode == 0, done.stderr
    assert "hardly any text" in " ".join(done.stdout.replace("│", " ").split())
    assert score(server, data_dir, folder, "scan.txt", "--output", "out.csv").returncode == 0
    with (folder / "out.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["borderline"], row["warnings"]) == ("True", "no_name_found little_text")


@pytest.mark.slow
def test_spans_are_named_on_the_command_line(server: Server, data_dir: Path, folder: Path) -> None:
    (folder / "named.txt").write_text(f"{NAMED}\nDiploma, Rookery Lane")
    given = ("--span", "school=Rookery Lane", "--span", "affinity=Django")
    done = run(server, data_dir, folder, "redact", "named.txt", "nurse.txt", *given, "--output", "out")
    assert done.returncode == 0, done.stderr
    assert (folder / "out" / "named.txt").read_text().endswith("Diploma, [SCHOOL]\n")
    assert "Django" not in (folder / "out" / "named.txt").read_text()
    audited = run(
        server, data_dir, folder, "audit", "--job", "job.txt", "named.txt", "--attributes", "affinity", *given
    )
    assert audited.returncode == 0, audited.stderr
    assert "Affinity: " in audited.stdout
    for wrong, status in (("school=Zaphod", 3), ("shoe=Django", 2), ("school", 2), ("school=", 2)):
        done = run(server, data_dir, folder, "redact", "named.txt", "--span", wrong)
        assert done.returncode == status, wrong
        assert "--span 1" in done.stderr
        assert "Zaphod" not in done.stderr
