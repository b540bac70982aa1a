from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.evaluation.redaction.resumes import ENGINEER, NURSE, write
from training.data.example import DataFormatError
from training.evaluation.redaction.annotated import AnnotatedResume, half_of, read_annotated

SECRET = "Wilhelmina"


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert read_annotated(write(tmp_path / "spans.jsonl", [NURSE, ENGINEER])) == [NURSE, ENGINEER]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": SECRET, "spans": []}, "`id`"),
        ({"id": True, "text": SECRET, "spans": []}, "`id`"),
        ({"id": "a", "text": [SECRET], "spans": []}, "`text`"),
        ({"id": "a", "text": SECRET}, "`spans`"),
        ({"id": "a", "text": SECRET, "spans": [SECRET]}, r"spans\[0\] must"),
        ({"id": "a", "text": SECRET, "spans": [{"label": 1, "start": 0, "end": 1}]}, r"spans\[0\].label"),
        (
            {"id": "a", "text": SECRET, "spans": [{"label": "Name", "start": 0, "end": "1"}]},
            r"spans\[0\].start",
        ),
        (
            {"id": "a", "text": SECRET, "spans": [{"label": "Name", "start": False, "end": 1}]},
            r"spans\[0\].start",
        ),
        ({"id": "a", "text": SECRET, "spans": [{"label": SECRET * 7, "start": 0, "end": 1}]}, "1 to 64"),
        ({"id": "a", "text": SECRET, "spans": [{"label": "Name", "start": 2, "end": 2}]}, r"\[2, 2\)"),
        ({"id": "a", "text": SECRET, "spans": [{"label": "Name", "start": -1, "end": 2}]}, r"\[-1, 2\)"),
        ({"id": "a", "text": SECRET, "spans": [{"label": "Name", "start": 0, "end": 11}]}, "10 characters"),
    ],
)
def test_a_wrong_row_is_named_without_its_text(tmp_path: Path, row: object, said: str) -> None:
    file = tmp_path / "spans.jsonl"
    file.write_text(f"\n{json.dumps(row)}\n", "utf-8")
    with pytest.raises(DataFormatError, match=said) as caught:
        read_annotated(file)
    assert "line 2" in caught.value.message
    assert SECRET not in caught.value.message


@pytest.mark.parametrize("content", [b"", b"\n\n", b"{", b"[1]", b"\xff\xfe{}"])
def test_a_file_that_holds_no_resumes_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "spans.jsonl"
    file.write_bytes(content)
    with pytest.raises(DataFormatError):
        read_annotated(file)


def test_a_missing_file_and_a_repeated_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFormatError, match="cannot be read"):
        read_annotated(tmp_path / "none.jsonl")
    with pytest.raises(DataFormatError, match="line 2: its id"):
        read_annotated(write(tmp_path / "twice.jsonl", [NURSE, NURSE]))


def test_the_halves_share_nothing_and_do_not_depend_on_the_others() -> None:
    many = [AnnotatedResume(str(i), "text", ()) for i in range(400)]
    first, second = half_of(many, "first", 3), half_of(many, "second", 3)
    assert sorted([*first, *second], key=lambda r: int(r.id)) == many
    assert 150 < len(first) < 250
    assert half_of(many[:100], "first", 3) == [r for r in first if int(r.id) < 100]
    assert half_of(many, "first", 4) != first
