from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from service.core.bundle import Bundle
from service.core.calibration import shift_prevalence
from service.core.errors import InputError, TableError
from service.core.groups import GroupSchema
from service.files.outcome_files import FileOfOutcomes, OutcomeColumns, read_outcome_file
from tests.support.outcomes import judged, rows_of

SCHEMA = GroupSchema()


def read(
    file: Path,
    text: str,
    bundle: Bundle,
    columns: OutcomeColumns | None = None,
    prevalence: float | None = None,
) -> FileOfOutcomes:
    file.write_text(text)
    return read_outcome_file(file, columns or OutcomeColumns(), bundle, SCHEMA, prevalence=prevalence)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_file_holds_what_its_rows_were_made_of(tiny_bundle: Bundle, tmp_path: Path, suffix: str) -> None:
    made = judged(60, postings=7, followed=(1.0, 0.5))
    rows, file = rows_of(made), tmp_path / f"outcomes{suffix}"
    with file.open("w", newline="") as stream:
        if suffix == ".csv":
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        else:
            stream.writelines(json.dumps(row) + "\n" for row in rows)
    found = read_outcome_file(file, OutcomeColumns(), tiny_bundle, SCHEMA)
    assert found.notes == []
    for name in ("probabilities", "labels", "postings", "candidates"):
        assert np.array_equal(getattr(found.decisions, name), getattr(made, name)), name
    assert [found.decisions.groups[cell] for cell in found.decisions.cells] == [
        made.groups[cell] for cell in made.cells
    ]


def test_raw_scores_go_through_the_bundles_curve(tiny_bundle: Bundle, tmp_path: Path) -> None:
    text = "raw,outcome\n0.5,1\n0.1,0\n"
    found = read(tmp_path / "o.csv", text, tiny_bundle, OutcomeColumns(raw_score="raw"))
    assert found.decisions.probabilities.tolist() == [0.5, 0.017986]  # 10 * raw - 5
    assert [note.split(" (")[0] for note in found.notes] == [
        f"{tmp_path / 'o.csv'}: no column 'job_id'",
        f"{tmp_path / 'o.csv'}: no column 'candidate_id'",
    ]
    assert found.decisions.postings.tolist() == found.decisions.candidates.tolist() == [0, 1]


def test_probabilities_of_another_prevalence_are_shifted_back(tiny_bundle: Bundle, tmp_path: Path) -> None:
    reported = round(shift_prevalence(0.4, of=tiny_bundle.calibration.prevalence, to=0.03), 6)
    text = f"calibrated_probability,outcome\n{reported},yes\n"
    found = read(tmp_path / "o.csv", text, tiny_bundle, prevalence=0.03)
    assert found.decisions.probabilities[0] == pytest.approx(0.4, abs=1e-4)


def test_all_that_is_wrong_is_named_by_line_and_never_quoted(tiny_bundle: Bundle, tmp_path: Path) -> None:
    text = "calibrated_probability,outcome\n0.5,1\nZaphod,1\n1.5,0\nnan,0\n0.2,Beeblebrox\n"
    with pytest.raises(InputError) as refused:
        read(tmp_path / "o.csv", text, tiny_bundle)
    said = [one.message for one in getattr(refused.value, "errors", [refused.value])]
    assert said == [
        f"{tmp_path / 'o.csv'} lines 3, 4, 5: column 'calibrated_probability' is not a number from 0 to 1",
        f"{tmp_path / 'o.csv'} line 6: column 'outcome' is no outcome: read are hired, yes, 1, rejected, "
        "no, 0",
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("o.csv", "score,outcome\n0.5,1\n", "no column 'calibrated_probability' and none 'raw_score'"),
        ("o.csv", "raw_score,label\n0.5,1\n", "outcome"),
        ("o.csv", "raw_score,outcome\n", "holds no rows"),
        ("o.json", "[]", "is no table"),
    ],
)
def test_a_file_without_what_is_needed_is_refused(
    tiny_bundle: Bundle, tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(TableError, match=message):
        read(tmp_path / name, text, tiny_bundle)
