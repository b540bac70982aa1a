"""Texts made to be slow to read hold up nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

import httpx
import pytest

from tests.e2e.texts import BACKEND_JOB, ENGINEER
from tests.support.hostile_texts import GENERATORS
from tests.support.patience import PATIENCE

LENGTH = 99_000
SLOW = (
    "blanks",
    "mixed marks",
    "marks that are two",
    "ligature of eighteen",
    "names in lines",
    "titles",
    "own names",
    "words beside a school",
    "particles of schools",
    "anything at random",
)


@pytest.mark.slow
def test_the_service_answers_others_while_hostile_texts_are_read(client: httpx.Client) -> None:
    client.timeout = httpx.Timeout(PATIENCE)
    order: list[str] = []

    def redact(name: str) -> httpx.Response:
        answer = client.post("/v1/redact", json={"resume": GENERATORS[name](LENGTH)})
        order.append("hostile")
        return answer

    with ThreadPoolExecutor(len(SLOW)) as threads:
        hostile = [threads.submit(redact, name) for name in SLOW]
        lives = 0
        while wait(hostile, timeout=0.05).not_done:
            assert client.get("/health/live").status_code == 200
            lives += 1
            order.append("live")
        body = {"job": BACKEND_JOB, "candidates": [{"id": "c", "resume": ENGINEER}]}
        scored = threads.submit(client.post, "/v1/score", json=body)
        for name, answer in zip(SLOW, (one.result() for one in hostile), strict=True):
            if answer.status_code != 200:
                assert answer.status_code == 422, name
                assert answer.json()["code"] in ("unreadable_text", "text_too_long"), name
        assert scored.result().status_code == 200
    assert order.index("live") < len(order) - 1 - order[::-1].index("hostile")
