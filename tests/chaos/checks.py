"""After a kill and a start, from outside: is everything there that was promised, and nothing that was not?"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import psycopg

from service.store.recorder import DATABASE_FILE, SPOOL_FOLDER
from tests.chaos.clients import Ledger
from tests.chaos.service import Place, run_command


def faults(place: Place, ledger: Ledger) -> list[str]:
    """What is wrong, a line each. The service runs, its spool is empty, and nobody sends anything."""
    return [*_with_the_rows(place, ledger), *_with_the_chain(place), *_with_the_bytes(place, ledger)]


def _with_the_rows(place: Place, ledger: Ledger) -> Iterator[str]:
    rows = _query(place, "SELECT decision_id, candidate_id, erased FROM decisions")
    stored = {decision_id: (candidate, erased) for decision_id, candidate, erased in rows}
    lost = [one for one in ledger.decisions if one not in stored]
    if lost:
        yield f"lost: {len(lost)} of {len(ledger.decisions)} acknowledged decisions"
    times = Counter(candidate for _, candidate, _ in rows if candidate is not None)
    doubled = len(rows) - len(stored) + sum(count - 1 for count in times.values() if count > 1)
    if doubled:
        yield f"doubled: {doubled} decisions"
    for decision_id, candidate in ledger.decisions.items():
        if decision_id not in stored:
            continue
        found, erased = stored[decision_id]
        if candidate in ledger.erased:
            if found is not None or erased is None:
                yield f"not erased: {decision_id}"
        elif found != candidate and candidate not in ledger.to_erase:
            yield f"changed: {decision_id}"
    said = {row[0]: bool(row[1]) for row in _query(place, "SELECT decision_id, positive FROM outcomes")}
    gone = ledger.erased | ledger.to_erase
    missing = [
        one
        for one, positive in ledger.outcomes.items()
        if ledger.decisions[one] not in gone and said.get(one) is not positive
    ]
    if missing:
        yield f"lost: {len(missing)} of {len(ledger.outcomes)} acknowledged outcomes"


def _with_the_chain(place: Place) -> Iterator[str]:
    verified = run_command(place, "log", "verify")
    if verified.returncode:
        yield f"log verify ended with {verified.returncode}: {(verified.stdout + verified.stderr).strip()}"
    if not place.url:
        said = [row[0] for row in _query(place, "PRAGMA integrity_check")]
        if said != ["ok"]:
            yield f"integrity_check: {said[:3]}"


def _with_the_bytes(place: Place, ledger: Ledger) -> Iterator[str]:
    """PostgreSQL keeps dead rows until VACUUM, as is documented: its files are left out."""
    files = [
        *(place.data / SPOOL_FOLDER).glob("*"),
        *([] if place.url else place.data.glob(f"{DATABASE_FILE}*")),
    ]
    for file in files:
        content = file.read_bytes()
        found = sum(one.encode() in content for one in ledger.erased)
        if found:
            yield f"{file.name} still holds {found} of {len(ledger.erased)} erased ids"


def _query(place: Place, query: str) -> Sequence[tuple[Any, ...]]:
    if place.url:
        with psycopg.connect(place.url) as server:
            return server.execute(query.encode()).fetchall()
    with closing(sqlite3.connect(place.data / DATABASE_FILE, timeout=60)) as file:
        return file.execute(query).fetchall()
