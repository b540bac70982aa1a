r"""Counts the machine instructions that reading hostile texts takes. Run by a test, under valgrind:

    valgrind --tool=cachegrind --cache-sim=no --log-file=FOLDER/%p \
        python -m tests.service.core.counted_reading FOLDER SIZE... -- NAME...

Instructions are what CPython's own `re`, `unicodedata` and loops execute, and they are the same on a busy
machine as on an idle one. Everything is loaded once, under valgrind too; then each text is read in a forked
child, whose own total valgrind writes when it ends. A child that reads nothing, forked at the same moment,
says how much of that total is older than the fork.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from datetime import date
from pathlib import Path

from service.core.copied_text import RunsOfPostings, runs_of
from service.core.documents import read_document
from service.core.errors import InputError
from service.core.passages import PassagePolicy, split_passages
from service.core.redaction.given import GivenSpan, places_of
from service.core.redaction.redactor import Redactor
from service.core.requirements.listing import list_requirements, read_requirements
from service.core.requirements.posting import requirements_of
from service.core.resume_warnings import findings_of
from tests.support.hostile_texts import GENERATORS

MOST_CHARACTERS = 10_000_000
GIVEN = tuple(GivenSpan("name", text) for text in ("a", "Jane Doe", "a a a", "aaaa", "@", "- -", "a-a-b"))
TODAY = date(2024, 1, 1)
REQUIREMENTS = read_requirements(
    "RN license.\nPMP.\nBSc in physics.\nTwo years of experience.\nFluent in Welsh."
)


def read(text: str, redactor: Redactor) -> None:
    """All that is done to a text before the model: normalised, searched for spans, redacted, looked at for
    warnings, compared with itself as a posting, searched for requirements and for what it says to them, cut
    into passages in both ways.
    """
    try:
        document = read_document(text, field="text", max_characters=MOST_CHARACTERS)
        places_of(document.text, GIVEN)
        redacted = redactor.redact(document.text)
        redactor.of_names_alone().redact(document.text)
        findings_of(text, document.text, redacted)
        requirements = requirements_of(document.text)
        list_requirements(requirements or REQUIREMENTS, redacted.text, [redacted.text], TODAY)
        RunsOfPostings([runs_of(document.text)]).repeated_by(document.text)
    except InputError:
        return
    for layout in (False, True):
        split_passages(redacted.text, PassagePolicy(layout=layout))


def _in_child(text: str | None, redactor: Redactor) -> int:
    child = os.fork()
    if child == 0:
        if text is not None:
            read(text, redactor)
        os._exit(0)
    os.waitpid(child, 0)
    return child


def main(folder: Path, sizes: list[int], names: list[str]) -> None:
    redactor = Redactor()
    read("Jane Doe\njane.doe@mail.com\n\nEDUCATION\nMIT, 2012\n", redactor)
    gc.collect()
    gc.disable()
    children = {}
    for name in names:
        for size in sizes:
            text = GENERATORS[name](size)
            children[f"{name}:{size}"] = _in_child(None, redactor), _in_child(text, redactor)
    (folder / "children.json").write_text(json.dumps(children))


if __name__ == "__main__":
    _, where, *rest = sys.argv
    split = rest.index("--")
    main(Path(where), [int(size) for size in rest[:split]], rest[split + 1 :])
