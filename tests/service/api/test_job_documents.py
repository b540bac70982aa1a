"""Jobs of files: one by one, in ZIP archives, and named by candidates."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from tests.service.files.documents.small_files import docx, line, paragraph, pdf, zipped
from tests.support.api import ENGINEER, NURSE, Api
from tests.support.jobs import create_of_files, finished, records

SECRET = "Zaphod Beeblebrox"
FIXTURES = Path(__file__).parents[1] / "files/documents/fixtures"
POSTING = {"job": {"description": "python"}}


def test_files_and_archives_are_candidates(jobs_api: Api) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("people/cv.txt", f"{SECRET}, {ENGINEER}")
        packed.writestr("../../etc/cv.txt", f"{SECRET}, {ENGINEER}")
        packed.writestr("inner.zip", zipped({"cv.txt": ENGINEER}))
        packed.writestr("bomb.txt", bytes(5_000_000))
        packed.writestr("secret.pdf", (FIXTURES / "encrypted-p0.pdf").read_bytes())
        packed.writestr("really-a-pdf.docx", pdf(line(ENGINEER, 72, 700)))
        packed.writestr("really-word.pdf", docx(paragraph(NURSE)))
    files = [
        ("one.txt", NURSE.encode()),
        ("all.zip", archive.getvalue()),
        ("broken.txt", b"%PDF-1.7 and no more"),
        ("empty.pdf", b""),
    ]
    job = create_of_files(jobs_api, POSTING, *files)
    assert finished(jobs_api, job)["counts"] == {"total": 10, "completed": 4, "failed": 6, "decisions": 4}
    found = [(one["candidate_id"], one["file"], one["document"]["type"]) for one in records(jobs_api, job)]
    assert found == [
        (f"file-1-{job[:8]}", "one.txt", "text"),
        (f"file-2-{job[:8]}", "people/cv.txt", "text"),
        (f"file-7-{job[:8]}", "really-a-pdf.docx", "pdf"),
        (f"file-8-{job[:8]}", "really-word.pdf", "docx"),
    ]
    errors = records(jobs_api, job, "errors")
    assert [(one["file"], one["code"]) for one in errors] == [
        ("etc/cv.txt", "unsafe_path"),
        ("inner.zip", "nested_archive"),
        ("bomb.txt", "compression_ratio"),
        ("secret.pdf", "encrypted_document"),
        ("broken.txt", "damaged_document"),
        ("empty.pdf", "damaged_document"),
    ]
    assert SECRET not in str([{**one, "file": ""} for one in errors])


def test_the_same_files_in_two_jobs_are_two_candidates(jobs_api: Api) -> None:
    made = [create_of_files(jobs_api, POSTING, ("cv.txt", ENGINEER.encode())) for _ in range(2)]
    for job in made:
        finished(jobs_api, job)
    assert len({records(jobs_api, job)[0]["candidate_id"] for job in made}) == 2


def test_candidates_name_their_files(jobs_api: Api) -> None:
    request: dict[str, Any] = {
        "job": {"file": "posting.txt"},
        "candidates": [
            {"id": "a", "file": "a.txt"},
            {"id": "b", "file": "missing.txt"},
            {"id": "c", "resume": "nurse"},
        ],
    }
    files = [("a.txt", ENGINEER.encode()), ("posting.txt", b"python and java"), ("nobody.txt", b"python")]
    job = create_of_files(jobs_api, request, *files)
    finished(jobs_api, job)
    assert {one["candidate_id"] for one in records(jobs_api, job)} == {"a", "c"}
    found = {(one["candidate_id"], one["file"]) for one in records(jobs_api, job, "errors")}
    assert found == {("b", "missing.txt"), (None, "nobody.txt")}


def test_files_before_the_request_are_refused(jobs_api: Api) -> None:
    parts: list[tuple[str, Any]] = [("files", ("a.txt", b"x")), ("request", (None, "{}"))]
    answer = jobs_api.post("/v1/score/jobs", files=parts)
    assert (answer.status_code, answer.json()["code"]) == (422, "unusable_upload")
