from __future__ import annotations

import json
import logging
import sys
import threading
import unicodedata

import pytest

from service.core.printable import REPLACEMENT, as_message, json_escaped, one_line, printable
from service.logs import log_to_stderr

TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
EVERYTHING = "".join(map(chr, range(sys.maxunicode + 1)))


def test_no_control_character_is_left_of_all_there_are() -> None:
    shown = printable(EVERYTHING)
    assert len(shown) == len(EVERYTHING)
    left = {ch for ch in set(shown) if unicodedata.category(ch) in ("Cc", "Cs", "Zl", "Zp") or ch in TURNING}
    assert left == {"\n", "\t"}
    shown.encode()
    assert not {"\n", "\t"} & set(one_line(EVERYTHING))


def test_everything_else_stays() -> None:
    text = "Ærøskøbing, 東京, \N{FAMILY}, e\u0301, שלום, \N{ZERO WIDTH JOINER}\tx\ny"
    assert printable(text) == text


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[2J\x1b[H",  # clears the screen
        "\x1b]0;title\x07",
        "\x1b]52;c;cm0gLXJmIH4=\x07",  # fills the clipboard
        "\x9b31m",  # an escape sequence of one character
        "good\rbad",
        "abc\x08\x08\x08xyz",
        "user\u202etxt.exe",
    ],
)
def test_what_a_terminal_would_obey_is_replaced(hostile: str) -> None:
    assert one_line(hostile).isprintable()
    assert REPLACEMENT in one_line(hostile)


def test_a_further_line_cannot_pass_for_a_message_of_its_own() -> None:
    assert as_message("no file\nwrote report.csv") == "no file\n  wrote report.csv"


def test_the_log_is_printable_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, hook in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        monkeypatch.setattr(module, hook, getattr(module, hook))  # they are set, too
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        root.handlers = []
        log_to_stderr("info")
        logging.getLogger("service").info("bundle %s\nsecond line", "\x1b[31mred")
    finally:
        root.handlers, root.level = before, level
    assert f"bundle {REPLACEMENT}[31mred\nsecond line" in capsys.readouterr().err


def test_a_json_document_keeps_its_values_without_a_control_character() -> None:
    given = {"id": "caf\u00e9 \u9b5a\x7f\x9b2J\u202e\ud800", "lines": ["a\nb"]}
    document = json.dumps(given, indent=2, ensure_ascii=False)
    escaped = json_escaped(document)
    assert json.loads(escaped) == given
    assert "caf\u00e9 \u9b5a" in escaped
    assert printable(escaped) == escaped
    assert json_escaped(escaped) == escaped
