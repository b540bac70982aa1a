"""After a run, from outside: is everything stored that was answered, once each, and nothing else?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

from tests.chaos.service import Place, run_command
from tests.soak.faults import World
from tests.soak.ledger import Ledger
from tests.soak.traffic import FAIRNESS, SEXES, Caller

_SUSPICIOUS = re.compile(r"Traceback|CRITICAL|unexpected|never awaited|core dumped")
Rows = Sequence[Mapping[str, Any]]

_EACH = 5
"""Lines of one kind that are shown."""


def faults(world: World, callers: list[Caller], ledger: Ledger) -> list[str]:
    """What is wrong, a line each. The service runs, its spool is empty, and nobody sends anything."""
    rows = query(
        world.place,
        "SELECT decision_id, candidate_id, tenant, raw_score, calibrated_probability, decision, groups, "
        "request_id FROM decisions",
    )
    return [
        *decisions_at_fault(rows, ledger),
        *outcomes_at_fault(
            query(world.place, "SELECT decision_id, positive FROM outcomes"),
            query(world.place, "SELECT decision_id FROM outcome_history"),
            ledger,
        ),
        *_with_fairness(world, callers, rows),
        *_with_the_chain(world.place),
        *_with_the_log(world),
    ]


def decisions_at_fault(rows: Rows, ledger: Ledger) -> Iterator[str]:
    """`rows`: of all decisions that are stored."""
    stored = {row["decision_id"]: row for row in rows}
    times = Counter(row["candidate_id"] for row in rows)
    twice = [one for one, count in times.items() if count > 1]
    if len(stored) != len(rows) or twice:
        yield f"doubled: {len(twice)} candidates were decided more than once, as {twice[:_EACH]}"
    known = set(ledger.hung_up)
    promised: list[tuple[str, str, str, Any]] = []
    for request in ledger.scored:
        known.update(name for name, _ in request.candidates)
        promised += [
            (request.tenant, name, sex, result)
            for (name, sex), result in zip(request.candidates, request.results, strict=True)
        ]
    for job in ledger.jobs:
        known.update(name for name, _ in job.candidates)
        promised += [
            (job.tenant, name, sex, result)
            for (name, sex), result in zip(job.candidates, job.results, strict=True)
        ]
    lost = [result["decision_id"] for _, _, _, result in promised if result["decision_id"] not in stored]
    if lost:
        yield f"lost: {len(lost)} of {len(promised)} answered decisions, as {lost[:_EACH]}"
    for tenant, name, sex, result in promised:
        row = stored.get(result["decision_id"])
        if row is None:
            continue
        found = (row["tenant"], row["candidate_id"], row["raw_score"], row["calibrated_probability"])
        answered = (tenant, name, result["raw_score"], result["calibrated_probability"])
        if (
            found != answered
            or row["decision"] != result["decision"]
            or f'"sex":"{sex}"' not in row["groups"]
        ):
            yield f"stored otherwise than answered: {result['decision_id']}"
    # A caller that gave up, or a job that did not end, is in `wrong` already.
    foreign = [name for name in times if name not in known]
    if foreign:
        yield f"decided, and nobody was answered: {len(foreign)}, as {foreign[:_EACH]}"


def outcomes_at_fault(rows: Rows, history: Rows, ledger: Ledger) -> Iterator[str]:
    """`rows`: outcomes that count; `history`: a row for each that ever came."""
    said = {row["decision_id"]: row["positive"] for row in rows}
    wrong = [one for one, positive in ledger.outcomes.items() if said.get(one) is not positive]
    if wrong:
        yield f"lost: {len(wrong)} of {len(ledger.outcomes)} answered outcomes, as {wrong[:_EACH]}"
    if more := said.keys() - ledger.outcomes.keys():
        yield f"outcomes that nobody was answered: {len(more)}"
    events = Counter(row["decision_id"] for row in history)
    again = [one for one, count in events.items() if count != 1]
    if again:
        yield f"doubled: outcomes of {len(again)} decisions, as {again[:_EACH]}"


def _with_fairness(world: World, callers: list[Caller], rows: Rows) -> Iterator[str]:
    """The rates of each tenant are those of its rows."""
    for caller in callers:
        own = [row for row in rows if row["tenant"] == caller.tenant]
        expected = {
            sex: (
                sum(f'"sex":"{sex}"' in row["groups"] for row in own),
                sum(f'"sex":"{sex}"' in row["groups"] and row["decision"] == "selected" for row in own),
            )
            for sex in SEXES
        }
        found = shown_by_sex(world.service.url, caller.key)
        if found != expected:
            yield f"{FAIRNESS} of {caller.tenant} shows {found}, and {expected} are stored"


def shown_by_sex(url: str, key: str | None = None) -> dict[str, tuple[int, int]]:
    """People and selected people of each sex that `/v1/fairness` shows, all windows together."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    query = {"window": "all", "attribute": "sex"}
    answer = httpx.get(f"{url}{FAIRNESS}", params=query, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    attribute = next(one for one in answer.json()["attributes"] if one["attribute"] == "sex")
    return {
        group["group"]: (group["people"], group["selection"]["count"])
        for group in attribute["groups"]
        if group["people"]
    }


def _with_the_chain(place: Place) -> Iterator[str]:
    verified = run_command(place, "log", "verify")
    if verified.returncode:
        yield f"log verify ended with {verified.returncode}: {(verified.stdout + verified.stderr).strip()}"


def _with_the_log(world: World) -> Iterator[str]:
    lines = [line for line in world.log_text.splitlines() if _SUSPICIOUS.search(line)]
    if lines:
        yield f"{len(lines)} lines of the log, as {lines[:_EACH]}"


def query(place: Place, text: str) -> list[dict[str, Any]]:
    with psycopg.connect(place.url, row_factory=dict_row) as server:
        return server.execute(text.encode()).fetchall()
