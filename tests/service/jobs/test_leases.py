"""Leases on SQLite and PostgreSQL: one worker a chunk, and none that keeps it for ever."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, insert

from service.core.errors import LeaseLostError
from service.jobs import leases
from service.jobs.clock import SECOND, now_in
from service.store.job_tables import chunks, jobs
from service.store.transactions import writing


def add_job(
    engine: Engine,
    job_id: str,
    count: int,
    *,
    priority: int = 1,
    status: str = "in_progress",
    tenant: str = "default",
) -> None:
    with writing(engine) as connection:
        now = now_in(connection)
        connection.execute(
            insert(jobs).values(
                id=job_id,
                tenant=tenant,
                owner="",
                status=status,
                priority=priority,
                created=now,
                expires=now + 600 * SECOND,
                body="",
                total=count,
                completed=0,
                failed=0,
                decided=0,
                errors="{}",
                options=json.dumps({"redact": True, "top_k": None, "postings": 1, "webhook": False}),
            )
        )
        connection.execute(
            insert(chunks),
            [
                {"job_id": job_id, "number": i, "first": i, "rows": 1, "state": "ready", "attempts": 0}
                for i in range(count)
            ],
        )


def test_many_workers_never_get_the_same_chunk(engine: Engine) -> None:
    add_job(engine, "j", 24)
    together = threading.Barrier(4)

    def work() -> list[int]:
        together.wait()
        found = []
        while (lease := leases.claim(engine, 60)) is not None:
            found.append(lease.number)
        return found

    with ThreadPoolExecutor(4) as pool:
        taken = Counter(
            number for future in [pool.submit(work) for _ in range(4)] for number in future.result()
        )
    assert taken == Counter(range(24))


def test_the_higher_priority_goes_first_then_the_older_job(engine: Engine) -> None:
    add_job(engine, "old", 1)
    add_job(engine, "new", 1)
    add_job(engine, "urgent", 1, priority=2)
    add_job(engine, "cancelled", 1, priority=2, status="cancelling")
    order = [leases.claim(engine, 60) for _ in range(4)]
    assert [lease and lease.job_id for lease in order] == ["urgent", "old", "new", None]


def test_a_lease_that_ended_is_taken_over_and_its_first_holder_keeps_nothing(engine: Engine) -> None:
    add_job(engine, "j", 1)
    first = leases.claim(engine, 0.0)
    time.sleep(0.01)
    second = leases.claim(engine, 60)
    assert first is not None
    assert second is not None
    assert (first.attempts, second.attempts) == (1, 2)
    with pytest.raises(LeaseLostError):
        leases.renew(engine, first, 60)
    with pytest.raises(LeaseLostError), writing(engine) as connection:
        leases.finish(connection, first)
    with writing(engine) as connection:
        leases.finish(connection, second)
    assert leases.claim(engine, 60) is None


def test_a_renewed_lease_is_kept(engine: Engine) -> None:
    add_job(engine, "j", 1)
    lease = leases.claim(engine, 0.0)
    assert lease is not None
    leases.renew(engine, lease, 60)
    assert leases.claim(engine, 60) is None


def test_a_chunk_that_was_given_back_can_be_had_at_once_and_counts_as_no_attempt(engine: Engine) -> None:
    add_job(engine, "j", 1)
    lease = leases.claim(engine, 60)
    assert lease is not None
    leases.release(engine, lease, 0.0, counts=False)
    time.sleep(0.01)
    again = leases.claim(engine, 60)
    assert again is not None
    assert again.attempts == 1
