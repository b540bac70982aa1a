from __future__ import annotations

import json
import tracemalloc
from datetime import date
from pathlib import Path

import psutil
import pytest

from service.core.decision_words import DecisionWords
from service.core.errors import (
    EvenmatchError,
    InputErrors,
    NotTextError,
    TableError,
    UndecodableTextError,
    UnknownGroupError,
)
from service.core.fairness.counts import GroupCounts
from service.core.group_labels import LabelOptions
from service.core.groups import GroupSchema
from service.files.decision_columns import DecisionColumns
from service.files.decision_files import DecisionOptions, Decisions, check_decision_file, read_decisions

SCHEMA = GroupSchema(
    attributes={"sex": ("female", "male"), "race": ("two_or_more", "white")}, intersections=()
)
NAME = "Jane Doe"


def write(file: Path, content: str | bytes) -> Path:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def read(file: Path, columns: DecisionColumns | None = None) -> Decisions:
    return read_decisions(file, columns or DecisionColumns(), SCHEMA)


def refused(
    file: Path, options: DecisionOptions | None = None, columns: DecisionColumns | None = None
) -> str:
    """What is said of a file that cannot be used, one error a line."""
    with pytest.raises(EvenmatchError) as caught:
        read_decisions(file, DecisionColumns(), SCHEMA, options)
    errors = caught.value.errors if isinstance(caught.value, InputErrors) else [caught.value]
    return "\n".join(error.message for error in errors)


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
        tmp_path / "d.csv", "passed,rating,when,gender\nyes,3,2026-01-01,male\nno,2,2026-01-02,female\n"
    )
    columns = DecisionColumns("passed", "rating", "when", groups={"sex": "gender", "race": None})
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
        (
            HEADER + f"{NAME},male,white,,\n",
            TableError,
            "line 2: column 'decision' is not .*1 row, not",
        ),
        (HEADER + ",male,white,,\n", TableError, "line 2: column 'decision' is not a decision"),
        (
            HEADER + f"1,male,white,,\n1,{NAME},white,,\n",
            UnknownGroupError,
            "sex: 1 label stands for none of female, male, unknown: they are in 1 row, not shown",
        ),
        (HEADER + f"1,male,white,{NAME},\n", TableError, "line 2: column 'score' is not a finite number"),
        (HEADER + "1,male,white,nan,\n", TableError, "column 'score' is not a finite number"),
        (HEADER + "1,male,white,1_0,\n", TableError, "column 'score' is not a finite number"),
        (HEADER + f"1,male,white,,{NAME}\n", TableError, "line 2: column 'time' is not a date or time"),
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
        ('{"decision": 1, "time": 2026}', "column 'time' is not a date or time"),
        ('{"decision": 1, "race": "", "sex": 1}', "sex: 1 label stands for none of"),
        ('{"decision": 1, "race": "", "sex": "' + NAME + '"}', "sex: 1 label stands for none of"),
        ("\n", "holds no decisions"),
    ],
)
def test_unusable_json_lines_are_named_with_line_and_column(
    tmp_path: Path, content: str, message: str
) -> None:
    said = refused(write(tmp_path / "d.jsonl", content))
    assert message in said
    assert "Jane" not in said


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
    decisions = read_decisions(file, DecisionColumns(), SCHEMA, DecisionOptions(labels=labels))
    assert decisions.tally.counts()["sex"]["female"].n == 12
    assert decisions.tally.counts()["sex"]["unknown"].n == 1
    assert any("taken as unknown" in note and "Jane" not in note for note in decisions.notes)


@pytest.mark.parametrize("values", [{"shoe": {"W": "female"}}, {"sex": {"W": "girl"}}])
def test_a_label_cannot_mean_what_the_schema_has_not(
    tmp_path: Path, values: dict[str, dict[str, str]]
) -> None:
    file = write(tmp_path / "d.csv", "decision,sex,race\n1,male,white\n")
    with pytest.raises(UnknownGroupError, match="--group-value"):
        read_decisions(file, DecisionColumns(), SCHEMA, DecisionOptions(labels=LabelOptions(values)))


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
    with pytest.raises(EvenmatchError) as caught:
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


WHOLE = "decision,sex,race\n1,female,white\n0,male,white\n"


@pytest.mark.parametrize(
    "content",
    [
        WHOLE + ",,\n , ,\n\n",
        WHOLE.replace("\n", ",,\n"),
        "decision,sex,race,\n1,female,white,\n0,male,white\n",
        WHOLE.replace("0,", "0.0,").replace("1,", "1.0,"),
        WHOLE.replace("1,", "TRUE,").replace("0,", "FALSE,"),
        WHOLE.replace("1,", "Hired,").replace("0,", "Rejected,"),
        WHOLE.replace("1,", "Selected,").replace("0,", "Not Selected,"),
        WHOLE.replace("decision", "Hired?").replace("sex", "Gender").replace("race", "RACE "),
        WHOLE.replace("\n", "\r"),
        "Report of March,,\nmade on 2026-03-31,,\n,,\n" + WHOLE,
        WHOLE + "\nTotal,,\n",
        WHOLE + "Total: 2,2,\nConfidential - do not pass on\n",
        "sep=;\r\n" + WHOLE.replace(",", ";"),
        "Report, first half\n\n" + WHOLE.replace(",", ";"),
        ("\ufeff" + WHOLE).encode(),
        WHOLE.encode("utf-16"),
        WHOLE.replace(",", "\t").encode("utf-16-le"),
        WHOLE.replace("race", "race,note").replace("white", "white,Zoë").encode("cp1252"),
        WHOLE.replace("race", "race,resume").replace("white", "white," + "x" * 140_000),
    ],
)  # fmt: skip
def test_a_file_as_people_have_it_says_what_it_means(tmp_path: Path, content: str | bytes) -> None:
    decisions = read(write(tmp_path / "d.csv", content))
    assert {group: (c.n, c.selected) for group, c in decisions.tally.counts()["sex"].items() if c.n} == {
        "female": (1, 1),
        "male": (1, 0),
    }


@pytest.mark.parametrize("name", ["d.csv", "d.jsonl"])
def test_csv_and_json_lines_hold_the_same_decisions(tmp_path: Path, name: str) -> None:
    rows = [
        {"Decision": value, "Gender": "M", "Race": "white"}
        for value in ("1.0", "0.0", "Yes", "No", "true", "0")
    ]
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    content = "\n".join(lines if name == "d.csv" else map(json.dumps, rows))
    assert read(write(tmp_path / name, content)).tally.counts()["sex"]["male"] == GroupCounts(6, 3)


def test_words_for_decisions_are_given(tmp_path: Path) -> None:
    values = ("Hired", "offer  Accepted", "Withdrawn", "Phone screen", NAME)
    file = write(tmp_path / "d.csv", "status,sex,race\n" + "".join(f"{one},male,white\n" for one in values))
    said = refused(file)
    assert "lines 3, 4, 5, 6: column 'status' is not a decision" in said
    assert "'withdrawn' in 1 row" in said
    assert "--selected-values" in said
    assert "Jane" not in said
    words = DecisionWords(("hired", "Offer-accepted"), left_out=("Withdrawn",))
    decisions = read_decisions(file, DecisionColumns(), SCHEMA, DecisionOptions(words))
    assert decisions.tally.counts()["sex"]["male"] == GroupCounts(4, 2)
    assert decisions.left_out == 1
    notes = "\n".join(decisions.notes)
    assert "'hired' as selected (1)" in notes
    assert "all else is read as not_selected: 'phone screen' in 1 row; others in 1 row" in notes
    assert "Jane" not in notes
    both = DecisionOptions(DecisionWords(("hired",), ("withdrawn",)))
    assert "lines 3, 5, 6: column 'status' is not a decision" in refused(file, both)
    assert "no row holds any" in refused(file, DecisionOptions(DecisionWords(("Hird",))))
    assert "two meanings" in refused(file, DecisionOptions(DecisionWords(("Hired",), ("hired",))))


def test_all_faults_are_told_at_once_the_first_twenty_lines_of_each_kind(tmp_path: Path) -> None:
    content = (
        HEADER
        + "maybe,male,white,x,2026-01-01\n" * 25
        + f"1,{NAME},white,0.5,2026-13-01\n1,male\n1,male,white,,2026-01-01,{NAME}\n"
    )
    said = refused(write(tmp_path / "d.csv", content)).split("\n")
    assert len(said) == 5
    numbers = ", ".join(map(str, range(2, 22)))
    assert f"lines {numbers} and 5 more: column 'decision' is not a decision" in said[0]
    assert f"lines {numbers} and 5 more: column 'score' is not a finite number" in said[1]
    assert "line 27: column 'time' is not a date or time" in said[2]
    assert "lines 28, 29: another number of cells than the header, which has 5" in said[3]
    assert "sex: 1 label stands for none of" in said[4]
    assert "Jane" not in "".join(said)


@pytest.mark.parametrize(
    ("days", "first", "last"),
    [
        (("2026-03-31", "2026-03-01T10:00:00Z", "2026-03-02 10:00:00 UTC"), "2026-03-01", "2026-03-31"),
        (("3/4/2026", "3/31/2026 2:05 PM"), "2026-03-04", "2026-03-31"),
        (("3/4/26", "31/3/26"), "2026-03-31", "2026-04-03"),
        (("1.4.2026", "31.03.2026 14:05"), "2026-03-31", "2026-04-01"),
        (("46112", "46000.75"), "2025-12-09", "2026-03-31"),
        (("31-Mar-26", "March 1, 2026", "Mon, 02 Mar 2026 09:30:00 +0000"), "2026-03-01", "2026-03-31"),
        (("20260331", "N/A", "2026/3/1", ""), "2026-03-01", "2026-03-31"),
    ],
)
def test_days_are_read_as_spreadsheets_write_them(
    tmp_path: Path, days: tuple[str, ...], first: str, last: str
) -> None:
    rows = "".join(f'1,male,white,"{day}"\n' for day in days)
    decisions = read(write(tmp_path / "d.csv", "decision,sex,race,time\n" + rows))
    assert (str(decisions.first), str(decisions.last)) == (first, last)


def test_nobody_guesses_whether_the_day_or_the_month_is_first(tmp_path: Path) -> None:
    file = write(tmp_path / "d.csv", "decision,sex,race,time\n1,male,white,3/4/2026\n")
    assert "--date-order" in refused(file)
    decisions = read_decisions(file, DecisionColumns(), SCHEMA, DecisionOptions(date_order="mdy"))
    assert decisions.last == date(2026, 3, 4)
    mixed = write(
        tmp_path / "e.csv", "decision,sex,race,time\n1,male,white,13/4/2026\n1,male,white,4/13/2026\n"
    )
    assert "has the day first in line 2 and the month first in line 3" in refused(mixed)
    assert "line 3: column 'time' is not a date" in refused(mixed, DecisionOptions(date_order="dmy"))


def test_the_same_candidate_twice_for_a_job_is_told(tmp_path: Path) -> None:
    rows = "1,male,white,7,a\n0,male,white,7,a\n1,male,white,7,b\n1,male,white,,a\n1,male,white,,a\n"
    file = write(tmp_path / "d.csv", "decision,sex,race,Applicant ID,Req ID\n" + rows)
    decisions = read(file)
    assert decisions.tally.people == 5
    (note,) = (note for note in decisions.notes if "repeats" in note)
    assert "1 row repeats a candidate ('Applicant ID') for the same job ('Req ID'): line 3" in note
    assert "1 row repeats" in refused(file, DecisionOptions(duplicates="refuse"))
    assert not any("repeats" in note for note in read(file, DecisionColumns(candidate="")).notes)


def test_a_short_row_may_lack_only_what_is_not_needed(tmp_path: Path) -> None:
    header = "decision,sex,race,score,note\n"
    decisions = read(write(tmp_path / "d.csv", header + "1,male,white\n0,male,white,0.5,x\n"))
    assert decisions.tally.scored == 1
    assert any("1 row ends before the header does" in note for note in decisions.notes)
    assert "line 2: 2 cells; the header has 5" in refused(write(tmp_path / "e.csv", header + "1,male\n"))


def test_a_total_within_the_rows_is_no_footer(tmp_path: Path) -> None:
    said = refused(write(tmp_path / "d.csv", "decision,sex,race\n1,male,white\nTotal,,\n1,male,white\n"))
    assert "line 3: column 'decision' is not a decision" in said


def test_scores_with_a_comma_and_percentages(tmp_path: Path) -> None:
    file = write(
        tmp_path / "d.csv", "decision;sex;race;score\n1;male;white;0,75\n1;male;white;50%\n1;male;white;-\n"
    )
    decisions = read(file)
    assert decisions.tally.median_score() == 0.625
    assert any("percentage" in note for note in decisions.notes)
    thousand = write(tmp_path / "e.csv", "decision;sex;race;score\n1;male;white;1,234\n")
    assert "not a finite number" in refused(thousand)


def test_columns_that_may_be_meant_are_named(tmp_path: Path) -> None:
    file = write(tmp_path / "d.csv", "hired,selected,Sex,race\n1,1,male,white\n")
    assert "'hired' and 'selected' could be the decision; say which with --decision-column" in refused(file)
    decisions = read(file, DecisionColumns("hired"))
    assert any("column 'Sex' is read as sex" in note for note in decisions.notes)


def test_cells_are_no_column_names(tmp_path: Path) -> None:
    said = refused(write(tmp_path / "d.csv", f"1,{NAME},white\n0,male,white\n"))
    assert said.count("what stands there does not look like a header") == 3
    assert "Jane" not in said
    assert "it has who, sex, race" in refused(write(tmp_path / "e.csv", "who,sex,race\n1,male,white\n"))


@pytest.mark.parametrize("name", ["d.xlsx", "d.csv"])
def test_a_workbook_is_told_how_to_become_a_table(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / name, b"PK\x03\x04" + bytes(26) + b"xl/workbook.xml")
    with pytest.raises(NotTextError, match=r"Excel workbook .*Save As, CSV UTF-8"):
        check_decision_file(file)


def test_text_files_are_tables_and_other_files_are_named(tmp_path: Path) -> None:
    file = write(tmp_path / "d.txt", WHOLE.replace(",", "\t"))
    check_decision_file(file)
    assert read(file).tally.people == 2
    with pytest.raises(TableError, match=r"one object a line as \.jsonl"):
        check_decision_file(write(tmp_path / "d.json", "[]"))


def test_rows_without_a_decision_are_left_out_if_somebody_says_so(tmp_path: Path) -> None:
    file = write(tmp_path / "d.csv", "decision,sex,race\n1,male,white\n,male,white\n")
    assert "--left-out-values ''" in refused(file)
    decisions = read_decisions(
        file, DecisionColumns(), SCHEMA, DecisionOptions(DecisionWords(left_out=("",)))
    )
    assert (decisions.tally.people, decisions.left_out) == (1, 1)


def test_a_file_may_have_no_column_but_the_decision(tmp_path: Path) -> None:
    columns = DecisionColumns(groups={"sex": None, "race": None})
    assert read(write(tmp_path / "d.csv", "decision\n1\n0\n"), columns).tally.people == 2
