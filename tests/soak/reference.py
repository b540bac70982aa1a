"""Requests whose answers are known: asked once of a service of one process, before anything is broken."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.service import CHECKOUT
from tests.e2e.texts import BACKEND_JOB, COOK, ENGINEER, NURSE, NURSE_JOB

TITLES = ("Backend Engineer", "Registered Nurse", "Data Analyst", "Ward Manager")
RESUMES = 12
LONG_RESUME_LINES = 220
"""So long that a process of its own reads it."""

DOCUMENTS = ("writer-p0.docx", "writertable-p1.odt", "writertable-p1.rtf", "even-p0.pdf")
_OF_ONE_REQUEST = ("candidate_id", "decision_id", "metadata")
_ONLY_EXPLAINED = ("explanation", "parts")
_TIMEOUT = 600.0


@dataclass(frozen=True)
class Question:
    """A request whose whole answer is known. `name`: of the scenario, as the report counts it."""

    name: str
    path: str
    body: Mapping[str, Any]
    answer: Any


@dataclass(frozen=True)
class Reference:
    """`pairs`: the explained result of each posting and resume, without what belongs to one request alone."""

    postings: Sequence[Mapping[str, Any]]
    resumes: Sequence[str]
    pairs: Mapping[tuple[int, int], Mapping[str, Any]]
    questions: Sequence[Question]

    def result(self, posting: int, resume: int, *, explain: bool) -> dict[str, Any]:
        """What `/v1/score` has to say of a pair, but for the ids."""
        known = dict(self.pairs[posting, resume])
        return known if explain else {name: known[name] for name in known if name not in _ONLY_EXPLAINED}


def without_ids(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result without what belongs to one request alone, and without fields that say nothing."""
    return {
        name: value for name, value in result.items() if name not in _OF_ONE_REQUEST and value is not None
    }


def postings() -> list[dict[str, Any]]:
    """Postings of both texts under several titles."""
    texts = (BACKEND_JOB["description"], NURSE_JOB["description"])
    return [
        {"id": f"posting-{i}", "title": title, "description": texts[i % 2]} for i, title in enumerate(TITLES)
    ]


def resumes(chance: random.Random) -> list[str]:
    """Resumes of mixed lines, no two alike; the last one is long."""
    lines = [line for text in (ENGINEER, NURSE, COOK) for line in text.splitlines() if line.startswith("- ")]
    made = []
    for number in range(RESUMES):
        base = (ENGINEER, NURSE, COOK)[number % 3]
        chosen = chance.sample(lines, 4)
        made.append(f"{base}\nPROJECTS\n" + "\n".join(chosen) + f"\n- Finished {number + 2} projects.\n")
    long = "\n".join(f"{chance.choice(lines)} In team {i}." for i in range(LONG_RESUME_LINES))
    return [*made, f"{ENGINEER}\n{long}\n"]


def ask_all(url: str, chance: random.Random, *, key: str | None = None) -> Reference:
    """Ask a service that nobody else asks."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    known_postings, known_resumes = postings(), resumes(chance)
    pairs: dict[tuple[int, int], dict[str, Any]] = {}
    with httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT) as client:

        def asked(path: str, body: Mapping[str, Any]) -> Any:
            answer = client.post(path, json=body)
            assert answer.status_code == 200, f"{path} answered {answer.status_code}: {answer.text[:300]}"
            return answer.json()

        for i, posting in enumerate(known_postings):
            candidates = [{"id": f"c-{j}", "resume": resume} for j, resume in enumerate(known_resumes)]
            scored = asked("/v1/score", {"job": posting, "candidates": candidates, "explain": True})
            for j, result in enumerate(scored["results"]):
                pairs[i, j] = without_ids(result)
        questions = [
            Question(name, path, body, asked(path, body)) for name, path, body in _bodies(known_resumes)
        ]
    return Reference(known_postings, known_resumes, pairs, questions)


def _bodies(known: Sequence[str]) -> list[tuple[str, str, dict[str, Any]]]:
    made: list[tuple[str, str, dict[str, Any]]] = []
    for number in range(0, RESUMES, 3):
        made += [
            ("embed", "/v1/embed", {"inputs": list(known[number : number + 2])}),
            ("redact", "/v1/redact", {"resume": known[number]}),
        ]
    made.append(("redact", "/v1/redact", {"resume": known[-1]}))
    made.append(("embed", "/v1/embed", {"inputs": known[1], "passages": True}))
    for number in range(2):
        audit = {
            "job": postings()[number],
            "resumes": [{"id": "r-1", "resume": known[number]}],
            "attributes": ["name", "pronoun"],
            "names_per_group": 2,
            "controls": 2,
            "seed": number,
        }
        made.append(("audit", "/v1/audit/counterfactual", audit))
    folder = CHECKOUT / "tests/service/files/documents/fixtures"
    for name in DOCUMENTS:
        made.append(("document", "/v1/documents", {"file": _file(folder / name)}))
    return made


def _file(path: Path) -> dict[str, str]:
    return {"name": path.name, "content": base64.b64encode(path.read_bytes()).decode()}
