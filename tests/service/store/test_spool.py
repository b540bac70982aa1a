"""Decisions on disk: in order, whole or not at all, taken over from dead processes."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from service.store.chain import LogKey
from service.store.decisions import Decision
from service.store.spool import Spool, spooled_lines
from tests.support.decision_logs import KEY, decision, decisions


def opened(folder: Path, key: LogKey = KEY) -> Spool:
    spool = Spool(folder, key)
    spool.open()
    return spool


def drained(spool: Spool, limit: int = 2) -> list[Decision]:
    everything = []
    while spool.decisions:
        everything += spool.oldest(limit)
        spool.drop_oldest()
    return everything


def test_decisions_come_out_as_they_went_in_and_the_file_goes(tmp_path: Path) -> None:
    spool = opened(tmp_path / "spool")
    given = [*decisions(4), decision(5, candidate_id="Zoë\n\u2028", job_id=None, groups={})]
    spool.append(given[:3])
    spool.append(given[3:])
    assert (spool.decisions, spooled_lines(tmp_path / "spool")) == (5, 5)
    (file,) = (tmp_path / "spool").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700
    assert drained(spool) == given
    assert list((tmp_path / "spool").iterdir()) == []
    spool.append([decision(9)])
    assert drained(spool) == [decision(9)]


def test_a_line_is_written_as_ever(tmp_path: Path) -> None:
    """A later version takes over the files of this one."""
    opened(tmp_path).append([decision(7)])
    (file,) = tmp_path.iterdir()
    record = (
        '{"decision_id":"00000000-0000-4000-8000-000000000007","time":"2026-03-01T12:07:00+00:00",'
        '"request_id":"r-1","job_id":"req-17","candidate_id":"c-7","groups":{"sex":"female"},'
        '"raw_score":0.41,"calibrated_probability":0.7125,"threshold":0.62,"decision":"selected",'
        f'"redact":true,"bundle_digest":"{"b" * 64}","engine":"openvino"}}'
    ).encode()
    assert file.read_bytes() == KEY.sign_bytes("spool", record).encode() + b" " + record + b"\n"


def test_what_was_not_dropped_comes_again(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append(decisions(3))
    assert spool.oldest(2) == decisions(2)
    assert spool.oldest(2) == decisions(2)
    spool.drop_oldest()
    assert spool.oldest(2) == [decision(3)]
    spool.append([decision(4)])
    assert drained(spool) == decisions(2, 3)


def test_the_next_process_takes_over_in_order(tmp_path: Path) -> None:
    for start in (1, 3):
        spool = opened(tmp_path / "other")
        spool.append(decisions(2, start))
        for file in (tmp_path / "other").iterdir():  # as if each had been left by a process of its own
            (tmp_path / "spool").mkdir(exist_ok=True)
            file.rename(tmp_path / "spool" / file.name)
        spool.close()
    successor = opened(tmp_path / "spool")
    assert successor.decisions == 4
    successor.append([decision(5)])
    assert drained(successor) == decisions(5)


def test_a_living_process_keeps_its_file(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.append(decisions(2))
    second = opened(tmp_path)
    assert second.decisions == 0
    second.append([decision(3)])
    assert drained(second) == [decision(3)]
    first.close()
    assert drained(opened(tmp_path)) == decisions(2)


@pytest.mark.parametrize("cut", [1, 2, 40, 200])
def test_a_last_line_that_broke_off_is_dropped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, cut: int
) -> None:
    spool = opened(tmp_path)
    spool.append(decisions(3))
    spool.close()
    (file,) = tmp_path.iterdir()
    os.truncate(file, file.stat().st_size - cut)
    successor = opened(tmp_path)
    assert "the last line broke off" in caplog.text
    assert "c-3" not in caplog.text
    successor.append([decision(4)])
    assert drained(successor) == [*decisions(2), decision(4)]


def test_a_damaged_line_is_set_aside_and_the_rest_comes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = opened(tmp_path)
    spool.append(decisions(3))
    spool.close()
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes().replace(b'"c-2"', b'"c-9"'))
    assert drained(opened(tmp_path), limit=5) == [decision(1), decision(3)]
    assert "was set aside" in caplog.text
    assert b'"c-9"' in file.with_suffix(".damaged").read_bytes()
    assert not file.exists()


def test_a_full_disk_leaves_what_was_there_and_nothing_of_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = opened(tmp_path)
    spool.append(decisions(2))
    (file,) = tmp_path.iterdir()
    size, pwrite = file.stat().st_size, os.pwrite

    def half(descriptor: int, content: Any, offset: int) -> int:
        if offset > size:
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(descriptor, content[: len(content) // 2], offset)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", half)
        with pytest.raises(OSError, match="No space"):
            spool.append(decisions(5, 3))
        with pytest.raises(OSError, match="No space"):
            spool.append(decisions(5, 3))
    assert (file.stat().st_size, spool.decisions) == (size, 2)
    spool.append([decision(3)])
    assert drained(spool) == decisions(3)


def test_a_spool_that_somebody_removed_is_begun_anew(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append(decisions(2))
    next(tmp_path.iterdir()).unlink()
    spool.append([decision(3)])
    assert spooled_lines(tmp_path) == 1
    assert drained(spool) == decisions(3)


def test_a_probe_leaves_nothing(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.probe()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="No such file"):
        Spool(tmp_path / "absent", KEY).probe()
