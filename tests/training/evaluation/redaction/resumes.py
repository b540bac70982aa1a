"""Annotated resumes, written for these tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from training.evaluation.redaction.annotated import AnnotatedResume, AnnotatedSpan


def annotated(name: str, text: str, *labelled: tuple[str, str]) -> AnnotatedResume:
    """A resume whose spans are the first places at which each text stands."""
    spans = []
    for label, part in labelled:
        start = text.index(part)
        spans.append(AnnotatedSpan(label, start, start + len(part)))
    return AnnotatedResume(name, text, tuple(spans))


NURSE = annotated(
    "nurse",
    "Keisha Robinson\nkeisha@example.org\n\nExperience\nNurse on a surgical ward, Mercy Hospital, 2016\n\n"
    "Skills\nwound care, payment\n\nEducation\nBSc Nursing, Harvard University, 2014\n",
    ("Name", "Keisha Robinson"),
    ("Email Address", "keisha@example.org"),
    ("Designation", "Nurse"),
    ("Companies worked at", "Mercy Hospital"),
    ("Skills", "wound care"),
    ("College Name", "Harvard University"),
    ("Graduation Year", "2014"),
)
ENGINEER = annotated(
    "engineer",
    "John Miller\njohn@example.com\n\nPython engineer at Northfield Works. Built backend services with a "
    "database.\n\nEducation\nStanford University, 2011\n",
    ("Name", "John Miller"),
    ("Email Address", "john@example.com"),
    ("Tech Tools", "Python"),
    ("Companies worked at", "Northfield Works"),
    ("College Name", "Stanford University"),
    ("Location", "Northfield"),
)


def write(path: Path, resumes: Sequence[AnnotatedResume]) -> Path:
    """The resumes as the file that the command reads."""
    rows = [
        {
            "id": r.id,
            "text": r.text,
            "spans": [{"label": s.label, "start": s.start, "end": s.end} for s in r.spans],
        }
        for r in resumes
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path
