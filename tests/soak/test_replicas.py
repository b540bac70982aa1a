"""A few kills of what `python -m tests.soak.replicas` does fifty times."""

from __future__ import annotations

import pytest

from tests.chaos.campaign import models
from tests.soak.haproxy import program
from tests.soak.replicas import run
from tests.support.postgres import programs

KILLS = 6


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.skipif(program() is None, reason="needs haproxy")
def test_replicas_that_are_killed_and_replaced_lose_nothing_and_sum_up() -> None:
    if programs() is None:
        pytest.skip("needs PostgreSQL's initdb and pg_ctl, and as root a user postgres")
    said: list[str] = []
    with models(None) as converted:
        result = run(KILLS, 22, converted, said.append)
    assert result.wrong == [], "\n".join(said)
    assert result.kills == KILLS
    assert len(result.decisions) > KILLS
    assert len(result.outcomes) > 0
