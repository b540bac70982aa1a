"""Texts lie on the disk, and a block of resumes at a time is encoded and scored: nothing else changes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from service.core.bundle import Bundle
from service.core.matching import Matcher
from service.core.tokenization import TextTokenizer
from tests.training.data.user_tables import write_csv
from tests.training.evaluation.external.sets import random_set
from tests.training.evaluation.external.test_command import evaluated, given
from training.evaluation.external import checks, systems
from training.evaluation.external.given_documents import ExternalColumns
from training.evaluation.external.given_table import Findings, GivenTable
from training.evaluation.external.kept_texts import KeptText, Store
from training.evaluation.external.labelled_set import LabelledSet
from training.evaluation.external.pair_reading import read_labelled_pairs
from training.evaluation.external.systems import KeptResume


def test_what_is_kept_is_read_back_in_any_order() -> None:
    store = Store()
    texts = ["first", "", "Zürich \U0001f600", "half of a character \ud83d", "last"]
    kept = [KeptText.of(text, str(i), store) for i, text in enumerate(texts)]
    assert [one.read() for one in kept[::-1]] == texts[::-1]
    late = KeptText.of("after reading", "", store)
    assert [one.read() for one in (kept[0], late)] == ["first", "after reading"]


def test_a_resume_is_read_back_as_the_bundle_reads_it(tiny_bundle: Bundle) -> None:
    folder = Path(tiny_bundle.manifest.base_model.id)
    matcher = Matcher(tiny_bundle, TextTokenizer.load(folder / "tokenizer.json", tiny_bundle.manifest))
    read = matcher.tokenize_resume(f"Jane Doe\njane@example.com\n{'registered nurse of a ward. ' * 20}")
    kept = KeptResume.of(read, Store())
    assert len(read.texts) > 1
    assert kept.texts == read.texts
    assert kept.tokens == sum(map(len, read.texts))
    assert kept.document == read.read.document


def test_blocks_hold_every_pair_once_by_posting() -> None:
    data, _ = random_set()
    seen = []
    for start, pairs in data.blocks_of_resumes(4):
        assert ((data.pair_resumes[pairs] // 4) == start // 4).all()
        assert (np.diff(data.pair_postings[pairs]) >= 0).all()
        seen += pairs.tolist()
    assert sorted(seen) == list(range(len(data)))


def test_figures_do_not_depend_on_the_block(tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = given()
    rows = np.array([row for row in range(len(whole)) if row % 4])  # postings with different resumes
    postings, resumes, labels = whole.pair_postings[rows], whole.pair_resumes[rows], whole.labels[rows]
    sparse = LabelledSet(whole.resumes, whole.postings, postings, resumes, labels, every_pair=False)
    for data in (whole, sparse):
        monkeypatch.undo()
        expected = evaluated(tiny_bundle, data)
        monkeypatch.setattr(systems, "RESUMES_AT_ONCE", 2)
        found = evaluated(tiny_bundle, data)
        assert found.first.scores.tolist() == expected.first.scores.tolist()
        assert [s.ranking for s in found.evaluation.systems] == [
            s.ranking for s in expected.evaluation.systems
        ]


def test_texts_of_a_table_are_on_the_disk_and_the_digest_is_as_before(tmp_path: Path) -> None:
    table = write_csv(
        tmp_path / "pairs.csv",
        [
            {"resume": f"resume {i % 5}", "job": f"job {i % 3}", "label": int(i % 5 == i % 3)}
            for i in range(15)
        ],
    )
    findings = Findings()
    data = read_labelled_pairs(GivenTable.of_file(table, findings), ExternalColumns(), findings)
    assert all(isinstance(d.given, KeptText) for d in (*data.resumes, *data.postings))
    assert [d.text for d in data.resumes] == [f"resume {i}" for i in range(5)]
    texts = [
        [hashlib.sha256(f"{d.title}\n{d.text}".encode()).hexdigest() for d in side]
        for side in (data.postings, data.resumes)
    ]
    rows = list(
        zip(data.pair_postings.tolist(), data.pair_resumes.tolist(), data.labels.tolist(), strict=True)
    )
    assert data.digest == hashlib.sha256(repr((texts, rows)).encode()).hexdigest()


def test_near_repeats_are_not_looked_for_among_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "MOST_COMPARED", 3)
    notes = checks.repeat_notes(given())
    assert any("9 different resumes are more than 3" in note for note in notes)
