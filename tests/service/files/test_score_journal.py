from __future__ import annotations

import random
import stat
from pathlib import Path

import numpy as np
import pytest

from service.core.errors import TableError
from service.files.document_texts import DocumentSummary
from service.files.result_files import ScoredCandidate
from service.files.resume_files import UnreadResume
from service.files.score_journal import JournalEntry, ScoreJournal

PARTS = {"the postings": "a", "options": "b"}
SECRET = "Jane Roe, engineer"


def resume(number: int, text: str = SECRET) -> UnreadResume:
    return UnreadResume(f"c-{number}", f"r.csv line {number}", text)


def filled(file: Path, count: int) -> list[JournalEntry]:
    journal = ScoreJournal(file)
    journal.begin(PARTS)
    entries = []
    for i in range(count):
        document = DocumentSummary("pdf", 2, 90, {"two_columns": 1}) if i % 2 else None
        candidate = ScoredCandidate(f"c-{i}", "en", False, True, ("little_text",), {0: 41}, document)
        scores = np.array([123_456 + i, -1_000_000], dtype=np.int32)
        entries.append(JournalEntry(journal.digest(resume(i)), candidate, scores))
        journal.add(entries[-1:])
    journal.close()
    return entries


def test_what_was_scored_is_found_again(tmp_path: Path) -> None:
    file = tmp_path / ".out.csv.journal"
    entries = filled(file, 5)
    journal = ScoreJournal(file)
    assert journal.begin(PARTS) == []
    assert journal.entries == 5
    for i, entry in enumerate(entries):
        found = journal.known(f"c-{i}", journal.digest(resume(i)))
        assert found is not None
        assert (found.candidate, found.scores.tolist()) == (entry.candidate, entry.scores.tolist())
    assert journal.known("c-1", journal.digest(resume(1, "changed"))) is None
    assert journal.holds("c-1")
    assert not journal.holds("c-9")
    journal.remove()
    assert not file.exists()


def test_it_holds_no_text_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / ".out.csv.journal"
    filled(file, 2)
    assert b"Jane" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_whatever_a_kill_leaves_at_the_end_is_cut_off(tmp_path: Path) -> None:
    file = tmp_path / ".out.csv.journal"
    filled(file, 5)
    whole = file.read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == 10]
    seeded = random.Random(17)
    for cut in [0, 1, *seeded.sample(range(2, len(whole)), 40), len(whole)]:
        file.write_bytes(whole[:cut] + seeded.choice([b"", b"\0" * 50, b"12345678 {}\n"]))
        journal = ScoreJournal(file)
        lines = sum(end <= cut for end in ends)
        assert journal.entries == max(0, lines - 1), cut
        journal.begin(PARTS)
        candidate = ScoredCandidate("new", "en", False, True)
        journal.add([JournalEntry(journal.digest(resume(9)), candidate, np.zeros(2, dtype=np.int32))])
        journal.close()
        again = ScoreJournal(file)
        assert again.entries == max(0, lines - 1) + 1
        again.close()


def test_other_postings_make_it_worthless(tmp_path: Path) -> None:
    file = tmp_path / ".out.csv.journal"
    filled(file, 3)
    journal = ScoreJournal(file)
    assert journal.begin({**PARTS, "the postings": "other"}) == ["the postings"]
    assert journal.entries == 0
    journal.close()


def test_two_runs_do_not_share_one(tmp_path: Path) -> None:
    first = ScoreJournal(tmp_path / "j")
    with pytest.raises(TableError, match="is in use: another run writes the same output"):
        ScoreJournal(tmp_path / "j")
    first.close()
    ScoreJournal(tmp_path / "j").close()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="cannot be written: No such file or directory"):
        ScoreJournal(tmp_path / "gone" / "j")


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = ScoreJournal(tmp_path / "j")
    journal.begin(PARTS)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("service.files.score_journal.os.fsync", full)
    monkeypatch.setattr("service.files.score_journal._SYNC_SECONDS", -1)
    entry = JournalEntry("0", ScoredCandidate("c", "en", False, True), np.zeros(2, dtype=np.int32))
    with pytest.raises(TableError, match="j cannot be written: No space left on device"):
        journal.add([entry])
    journal.close()
