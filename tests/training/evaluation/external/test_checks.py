"""What is doubtful with a set is said from its texts and labels alone."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from service.core.bundle import Bundle, write_bundle
from tests.support.bundles import CALIBRATION, RULE
from training.data.example import DataError
from training.evaluation.external.checks import (
    check_classes,
    repeat_notes,
    repeating_note,
    shared_note,
    size_notes,
    trained_on_note,
)
from training.evaluation.external.labelled_set import GivenDocument, LabelledSet, every_pair
from training.evaluation.external.lexical import bm25_scores, tfidf_scores

WORDS = [f"word{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(400)]


def pool(texts: list[str], categories: str = "ab") -> LabelledSet:
    resumes = [
        GivenDocument(f"r{i}", text, f"cvs line {i + 2}", categories=(categories[i % len(categories)],))
        for i, text in enumerate(texts)
    ]
    return every_pair(resumes, [GivenDocument("p", "posting", "jobs line 2", categories=("a",))])


def test_one_class_is_refused_with_a_reason() -> None:
    check_classes(pool(["x", "y"]))
    with pytest.raises(DataError, match="2 of 2 pairs match"):
        check_classes(pool(["x", "y"], "a"))
    with pytest.raises(DataError, match="0 of 2 pairs match; no category is on both sides"):
        check_classes(pool(["x", "y"], "b"))


def test_texts_under_two_ids_are_named_by_their_places() -> None:
    text = " ".join(WORDS[:120])
    notes = repeat_notes(pool([text, text.upper(), " ".join(WORDS[200:300])]))
    assert len(notes) == 1
    assert "1 of 3 resumes have the text of another" in notes[0]
    assert "cvs line 2 and cvs line 3" in notes[0]
    near = repeat_notes(pool([text, f"{text} and a new last line", " ".join(WORDS[200:300])]))
    assert len(near) == 1
    assert "1 pairs of resumes are nearly the same" in near[0]
    assert repeat_notes(pool([text, " ".join(WORDS[100:300])])) == []
    for note in (*notes, *near):
        assert WORDS[0] not in note


def test_few_of_anything_and_postings_without_a_match_are_said() -> None:
    notes = " ".join(size_notes(pool(["x", "y"], "bb")))
    assert "2 resumes (under 30)" in notes
    assert "0 matches" in notes
    assert "1 of 1 postings have no match" in notes


def test_a_resume_that_holds_a_posting_leaks_only_where_they_are_a_pair() -> None:
    data = pool(["x", "y"])
    assert repeating_note(data, []) is None
    note = repeating_note(data, [(1, 0)])
    assert note is not None
    assert "cvs line 3 holds jobs line 2" in note
    without = replace(data, pair_postings=data.pair_postings[:1], pair_resumes=data.pair_resumes[:1])
    assert repeating_note(without, [(1, 0)]) is None


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"data": {"synthetic": {"seed": 1}, "files": None}}, "generated texts alone"),
        ({"data": {"files": {"file": "/home/me/pairs.csv"}}}, "trained on pairs.csv and keeps no digests"),
        ({"data": None}, "does not say what it was trained on"),
        (None, "does not say what it was trained on"),
    ],
)
def test_what_a_bundle_was_trained_on_is_said_as_far_as_it_is_known(
    config: object, said: str, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    parts: dict[str, Any] = {
        "calibration.json": CALIBRATION,
        "decision.json": RULE,
        "probes.json": tiny_bundle.reference_vectors,
        **({} if config is None else {"training_config.json": json.dumps(config)}),
    }
    note = trained_on_note(write_bundle(tmp_path / "b", tiny_bundle.manifest, parts))
    assert said in note
    assert "/home/me" not in note


def test_texts_that_stand_in_training_data_are_named(tmp_path: Path) -> None:
    file = tmp_path / "train.jsonl"
    texts = [" ".join(WORDS[:20]), " ".join(WORDS[20:40])]
    rows = [{"cv": texts[0].upper(), "note": "posting"}, {"cv": "another one of some length"}]
    file.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    note = shared_note(pool(texts), file)
    assert "1 of 2 resumes and 0 of 1 postings stand in" in note
    assert note.endswith("leak if the bundle was trained on it: cvs line 2")
    assert "leak" not in shared_note(pool([" ".join(WORDS[40:60])]), file)


def test_bm25_by_hand() -> None:
    postings, resumes = ["nurse nurse ward"], ["nurse nurse cook", "ward welder", "cook"]
    data = every_pair(
        [GivenDocument("", text, "") for text in resumes], [GivenDocument("", text, "") for text in postings]
    )
    found = bm25_scores(postings, resumes, data.pair_postings, data.pair_resumes)
    # Lengths 3, 2, 1, mean 2; "nurse" and "ward" are in two of four texts, in the posting twice and once.
    idf = math.log(1 + 2.5 / 2.5)
    nurse = idf * 2 * 2.5 / (2 + 1.5 * (0.25 + 0.75 * 3 / 2))
    ward = idf * 1 * 2.5 / (1 + 1.5 * (0.25 + 0.75 * 2 / 2))
    assert found.tolist() == pytest.approx([2 * nurse / 3, ward / 3, 0.0])


def test_words_alone_find_the_text_itself_and_need_words() -> None:
    texts = ["nurse on a ward", "welder of pipes"]
    data = every_pair([GivenDocument("", t, "") for t in texts], [GivenDocument("", t, "") for t in texts])
    for score in (tfidf_scores, bm25_scores):
        found = score(texts, texts, data.pair_postings, data.pair_resumes).reshape(2, 2)
        assert found[0, 0] > found[0, 1] == 0
        with pytest.raises(DataError, match="no words beside stop words"):
            score(["the of and"], ["and so on"], data.pair_postings[:1], data.pair_resumes[:1])
    assert tfidf_scores(texts, texts, data.pair_postings, data.pair_resumes)[0] == pytest.approx(1)
