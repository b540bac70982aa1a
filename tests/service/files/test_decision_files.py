from __future__ import annotations

import json
import tracemalloc
from datetime import date
from pathlib import Path

import psutil
import pytest

from service.core.errors import EvenmatchError, TableError, UndecodableTextError, UnknownGroupError
from service.core.fairness.counts import GroupCounts
from service.core.group_labels import LabelOptions
from service.core.groups import GroupSchema
from service.files.decision_files import DecisionColumns, Decisions, read_decisions

SCHEMA = GroupSchema(
    attributes={"sex": ("female", "male"), "race": ("two_or_more", "white")}, intersections=()
)
NAME = "Jane Doe"


def write(file: Path, content: str | bytes) -> Path:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def read(file: Path, columns: DecisionColumns | None = None) -> Decisions:
    return read_decisions(file, columns or DecisionColumns(), SCHEMA)


def test_a_csv_is_counted(tmp_path: Path) -> None:
    content = (
        "\ufeffname,decision,sex,race,score,time\r\n"
        '"Doe, Jane\nof Leeds",selected,female,white,0.9,2026-03-01T09:30:00Z\r\n'
        "x,no, Male ,Two or More,0.1,2026-01-15\r\n"
        "\r\n"
        "y,TRUE,unknown,,,\r\n"
        "z,0,female,two-or-more,0.4,2026-02-01T00:00:00+05:00\r\n"
    )
    decisions = read(write(tmp_path / "d.csv", content))
    counts = decisions.tally.counts()
    assert counts["sex"] == {
        "female": GroupCounts(2, 1, above_median=1, scored=2),
        "male": GroupCounts(1, 0, above_median=0, scored=1),
        "unknown": GroupCounts(1, 1, above_median=0, scored=0),
    }
    assert {group: c.n for group, c in counts["race"].items()} == {"two_or_more": 2, "white": 1, "unknown": 1}
    assert (decisions.first, decisions.last, decisions.without_time) == (
        date(2026, 1, 15),
        date(2026, 3, 1),
        1,
    )
    assert decisions.tally.median_score() == 0.4


def test_json_lines_mean_the_same_as_csv(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"decision": True, "sex": "female", "race": "white", "score": 0.9, "time": "2026-03-01"},
        {"decision": "not_selected", "sex": "male", "score": "0.1"},
        {"decision": 1, "sex": None, "race": "", "score": None},
        {"decision": 0, "race": "unknown", "score": 7},
    ]
    decisions = read(write(tmp_path / "d.jsonl", "\n\n".join(json.dumps(row) for row in rows)))
    counts = decisions.tally.counts()
    assert counts["sex"]["unknown"] == GroupCounts(2, 1, above_median=1, scored=1)
    assert counts["race"]["white"] == GroupCounts(1, 1, above_median=0, scored=1)
    assert (decisions.first, decisions.without_time) == (date(2026, 3, 1), 3)


@pytest.mark.parametrize("word", ["selected", "1", "true", "yes", "YES", " Selected "])
def test_words_for_a_selection(tmp_path: Path, word: str) -> None:
    file = write(tmp_path / "d.csv", f"decision,sex,race\n{word},male,white\n")
    assert read(file).tally.counts()["sex"]["male"] == GroupCounts(1, 1)


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    file = write(
        tmp_path / "d.csv", "hired,rating,when,gender\nyes,3,2026-01-01,male\nno,2,2026-01-02,female\n"
    )
    columns = DecisionColumns("hired", "rating", "when", {"sex": "gender", "race": None})
    decisions = read(file, columns)
    assert decisions.tally.counts()["sex"]["male"] == GroupCounts(1, 1, above_median=1, scored=1)
    assert decisions.tally.counts()["race"]["unknown"].n == 2
    assert decisions.last == date(2026, 1, 2)


HEADER = "decision,sex,race,score,time\n"


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (f"name,sex,race\n{NAME},male,white\n", TableError, "no column 'decision'; name another with --dec"),
        (f"decision,race\n1,{NAME}\n", TableError, r"no column 'sex'; name another .*sex= if there is none"),
        (f"decision,sex,sex,race\n1,male,{NAME},white\n", TableError, "line 1: column 'sex' stands .* twice"),
        (HEADER + f"{NAME},male,white,,\n", TableError, "line 2: column 'decision' is not a decision: sel"),
        (HEADER + ",male,white,,\n", TableError, "line 2: column 'decision' is not a decision"),
        (
            HEADER + f"1,male,white,,\n1,{NAME},white,,\n",
            UnknownGroupError,
            "sex: 1 label stands for none of female, male, unknown: they are in 1 row, not shown",
        ),
        (HEADER + f"1,male,white,{NAME},\n", TableError, "line 2: column 'score' is not a finite number"),
        (HEADER + "1,male,white,nan,\n", TableError, "column 'score' is not a finite number"),
        (HEADER + "1,male,white,1_0,\n", TableError, "column 'score' is not a finite number"),
        (HEADER + f"1,male,white,,{NAME}\n", TableError, "line 2: column 'time' is not an ISO 8601"),
        (HEADER + f"1,male,white,,,{NAME}\n", TableError, "line 2: 6 cells; the header has 5"),
        (HEADER + '1,male,"white\n', TableError, "line 2"),
        ("\n\n" + HEADER + f"{NAME},male,white,,\n", TableError, "line 4: column 'decision'"),
        (HEADER, TableError, "holds no decisions"),
        ("", TableError, "holds no decisions"),
        (
            HEADER.encode() + b"1,caf\xe9,white,,\n1,caf\xc3\xa9,white,,\n",
            UndecodableTextError,
            "line 2 is not UTF-8: .*offset 5",
        ),
    ],
)
def test_an_unusable_csv_is_named_with_line_and_column_but_not_its_text(
    tmp_path: Path, content: str | bytes, error: type[EvenmatchError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        read(write(tmp_path / "d.csv", content))
    assert str(tmp_path / "d.csv") in caught.value.message
    assert "Jane" not in caught.value.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"decision": 1}\n' + NAME, "line 2: not JSON"),
        ("[1]", "line 1: not a JSON object"),
        ('{"decision": 1, "sex": "male", "sex": "female"}', "line 1: column 'sex' stands there twice"),
        ('{"sex": "male"}', "line 1: no column 'decision'"),
        ('{"decision": 1, "sex": "male"}', "no column 'race'"),
        ('{"decision": 2}', "column 'decision' is not a decision"),
        ('{"decision": null}', "column 'decision' is not a decision"),
        ('{"decision": 1, "score": true}', "column 'score' is not a finite number"),
        ('{"decision": 1, "score": 1' + "0" * 400 + "}", "column 'score' is not a finite number"),
        ('{"decision": 1, "score": NaN}', "column 'score' is not a finite number"),
        ('{"decision": 1, "time": 20260101}', "column 'time' is not an ISO 8601"),
        ('{"decision": 1, "race": "", "sex": 1}', "sex: 1 label stands for none of"),
        ('{"decision": 1, "race": "", "sex": "' + NAME + '"}', "sex: 1 label stands for none of"),
        ("\n", "holds no decisions"),
    ],
)
def test_unusable_json_lines_are_named_with_line_and_column(
    tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(EvenmatchError, match=message) as caught:
        read(write(tmp_path / "d.jsonl", content))
    assert "Jane" not in caught.value.message


LABELS = """decision,sex,race
1,F,White (Not Hispanic or Latino)
0, Woman ,Two or More Races
1,M,Prefer not to say
"""


def test_labels_are_read_as_people_write_them(tmp_path: Path) -> None:
    schema = GroupSchema(
        attributes={"sex": ("female", "male"), "race": ("two_or_more_races", "white")}, intersections=()
    )
    decisions = read_decisions(write(tmp_path / "d.csv", LABELS), DecisionColumns(), schema)
    counts = decisions.tally.counts()
    assert counts["sex"] == {
        "female": GroupCounts(2, 1), "male": GroupCounts(1, 1), "unknown": GroupCounts(0, 0)
    }  # fmt: skip
    assert {group: c.n for group, c in counts["race"].items()} == {
        "two_or_more_races": 1,
        "white": 1,
        "unknown": 1,
    }
    assert "sex: read 'f' as female (1), 'm' as male (1), 'woman' as female (1)" in decisions.notes


def test_what_a_label_means_can_be_said_and_others_taken_as_unknown(tmp_path: Path) -> None:
    file = write(tmp_path / "d.csv", "decision,sex,race\n" + "1,W,white\n" * 12 + f"1,{NAME},white\n")
    with pytest.raises(
        UnknownGroupError, match=r"2 labels stand .*'W' in 12 rows; others in 1 row"
    ) as caught:
        read(file)
    assert "Jane" not in caught.value.message
    assert "line" not in caught.value.message
    labels = LabelOptions({"sex": {"W": "female"}}, "unknown")
    decisions = read_decisions(file, DecisionColumns(), SCHEMA, labels)
    assert decisions.tally.counts()["sex"]["female"].n == 12
    assert decisions.tally.counts()["sex"]["unknown"].n == 1
    assert any("taken as unknown" in note and "Jane" not in note for note in decisions.notes)


@pytest.mark.parametrize("values", [{"shoe": {"W": "female"}}, {"sex": {"W": "girl"}}])
def test_a_label_cannot_mean_what_the_schema_has_not(
    tmp_path: Path, values: dict[str, dict[str, str]]
) -> None:
    file = write(tmp_path / "d.csv", "decision,sex,race\n1,male,white\n")
    with pytest.raises(UnknownGroupError, match="--group-value"):
        read_decisions(file, DecisionColumns(), SCHEMA, LabelOptions(values))


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_separator_and_encoding_are_found_out(tmp_path: Path, separator: str) -> None:
    text = "decision,sex,race,note\n1,female,white,Café\n0,male,white,\n".replace(",", separator)
    decisions = read(write(tmp_path / "d.csv", text.encode("cp1252")))
    assert decisions.tally.people == 2
    assert "Windows-1252" in decisions.notes[0]
    assert read(write(tmp_path / "e.csv", text.encode("utf-16"))).tally.people == 2


def test_empty_lines_are_no_rows_and_no_header(tmp_path: Path) -> None:
    file = write(tmp_path / "d.csv", "\n\ndecision,sex,race\n\n1,male,white\n\n")
    assert read(file).tally.people == 1


def test_what_is_not_read_may_stand_twice(tmp_path: Path) -> None:
    row = '{"decision": 1, "sex": "male", "race": "white", "note": 1, "note": {"a": 2, "a": 3}}\n'
    assert read(write(tmp_path / "d.jsonl", row)).tally.people == 1


@pytest.mark.parametrize("name", ["d.csv", "d.jsonl"])
def test_a_column_asked_for_by_name_must_be_there(tmp_path: Path, name: str) -> None:
    row = '{"decision": 1, "sex": "male", "race": "white"}\n'
    file = write(tmp_path / name, "decision,sex,race\n1,male,white\n" if name == "d.csv" else row)
    assert read(file).tally.scored == 0
    with pytest.raises(TableError, match="no column 'rating'; name another with --score-column"):
        read(file, DecisionColumns(score="rating"))
    with pytest.raises(TableError, match="no column 'time'; name another with --time-column"):
        read(file, DecisionColumns(time="time"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"d\.csv cannot be read: No such file"):
        read(tmp_path / "d.csv")


def test_a_file_is_closed_where_a_row_cannot_be_used(tmp_path: Path) -> None:
    file = write(tmp_path / "d.jsonl", '{"decision": 2}\n')
    with pytest.raises(TableError) as caught:
        read(file)
    assert caught.value.__traceback__ is not None  # frames that would hold the file are still there
    assert str(file.resolve()) not in {one.path for one in psutil.Process().open_files()}


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    file = write(tmp_path / "d.csv", "decision,sex,race\n" + "1,male,white\n" * 20_000)
    tracemalloc.start()
    decisions = read(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert decisions.tally.people == 20_000
    assert peak < file.stat().st_size
