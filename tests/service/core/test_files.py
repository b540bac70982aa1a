from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from service.core.files import private_file, write_private


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "report.csv"
    file.write_text("before")
    file.chmod(0o644)
    before = os.umask(0)
    try:
        write_private(file, "a\r\nb\n")
    finally:
        os.umask(before)
    assert mode(file) == 0o600
    assert file.read_bytes() == b"a\r\nb\n"
    assert list(tmp_path.iterdir()) == [file]


def test_what_was_there_stays_if_writing_breaks_off(tmp_path: Path) -> None:
    file = tmp_path / "report.csv"
    file.write_text("before")

    def break_off() -> None:
        with private_file(file) as stream:
            stream.write("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_the_longest_name_there_is(tmp_path: Path) -> None:
    file = tmp_path / ("n" * 251 + ".csv")
    write_private(file, "x")
    assert file.read_text() == "x"
