"""Texts that a process of its own reads: they keep nobody else waiting, and end with their caller."""

from __future__ import annotations

import os
import re
import signal

import pytest
from _pytest.mark.structures import ParameterSet

from service.api.thread_pools import ThreadPools
from tests.support.api import JOB, Api
from tests.support.callers import Caller, until

LONG = "python java nurse " * 600
"""More than 8,192 characters."""


GROWS = "\ufdfa " * 1_000
"""Becomes as long when it is normalised, 18 characters for one."""


def scoring(*resumes: str) -> dict[str, object]:
    return {"job": JOB, "candidates": [{"id": f"c-{i}", "resume": text} for i, text in enumerate(resumes)]}


@pytest.fixture
def api(shared_api: Api) -> Api:
    return shared_api


@pytest.fixture
def standing(api: Api) -> int:
    """The process that reads long texts, stopped. What takes its place is stopped by the next test."""
    assert api.score(LONG).status_code == 200
    (pid,) = api.runtime.reader_pool.pids
    os.kill(pid, signal.SIGSTOP)
    return pid


def _left(api: Api, path: str) -> int:
    """Requests of this path whose callers did not wait."""
    found = re.findall(
        rf'^evenmatch_requests_total\{{route="{path}",status="499"\}} (\S+)$', api.get("/metrics").text, re.M
    )
    return sum(map(int, map(float, found)))


def slow(path: str, body: dict[str, object]) -> ParameterSet:
    """Further cases of the same, a process each."""
    return pytest.param(path, body, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/score", scoring(LONG)),
        ("/v1/score", {"job": {"description": LONG}, "candidates": [{"id": "c-0", "resume": "java"}]}),
        slow("/v1/score", scoring("java", GROWS)),
        ("/v1/redact", {"resume": LONG}),
        slow("/v1/redact", {"resume": GROWS}),
        slow("/v1/embed", {"inputs": [LONG]}),
        slow("/v1/embeddings", {"input": ["x" * 9_000]}),
    ],
    ids=["resume", "job", "one that grows, after another", "redact", "one that grows", "embed", "embeddings"],
)
def test_long_texts_that_wait_keep_no_short_one_waiting_and_end_with_their_callers(
    api: Api, standing: int, path: str, body: dict[str, object]
) -> None:
    left = _left(api, path)
    callers = [Caller(api, path, body) for _ in range(4)]
    pools: ThreadPools = api.app.state.pools  # type: ignore[attr-defined]  # that of FastAPI
    until(lambda: pools.long_text._limiter.borrowed_tokens == 2)

    assert api.score("java").status_code == 200  # as many wait for the process as may
    assert api.post("/v1/redact", json={"resume": "java"}).status_code == 200
    assert api.post("/v1/embed", json={"inputs": ["java"]}).status_code == 200
    assert [caller.status for caller in callers] == [None] * 4

    for caller in callers:
        caller.leave()
    for caller in callers:
        caller.done.result()
    assert [caller.status for caller in callers] == [None] * 4
    assert _left(api, path) == left + 4
    assert api.score(LONG).status_code == 200
    assert standing not in api.runtime.reader_pool.pids
