"""The occupations that synthetic resumes and jobs are made of.

The texts in `occupations/*.json` were written for this project and are under its licence. A sector
is a family of neighbouring occupations: the hard negatives of each other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

from pydantic import TypeAdapter


@dataclass(frozen=True)
class Occupation:
    """Building blocks of one occupation's resumes and postings."""

    occupation: str
    sector: str
    titles: tuple[str, ...]
    skills: tuple[str, ...]
    duties: tuple[str, ...]
    requirements: tuple[str, ...]
    summary: tuple[str, ...]
    education: tuple[str, ...]


_VOCABULARY = TypeAdapter(Occupation)


def load_occupations() -> list[Occupation]:
    """Every occupation, sorted by sector and name."""
    folder = files("training.data.synthetic") / "occupations"
    records = [
        record
        for file in folder.iterdir()
        if file.name.endswith(".json")
        for record in json.loads(file.read_text("utf-8"))
    ]
    found = [_VOCABULARY.validate_python(record) for record in records]
    return sorted(found, key=lambda o: (o.sector, o.occupation))
