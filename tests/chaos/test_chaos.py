"""A few rounds of what `python -m tests.chaos` does many times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.campaign import Campaign, models
from tests.chaos.history import Kind
from tests.support.postgres import programs


@pytest.fixture(scope="module")
def converted() -> Iterator[Path]:
    with models(None) as folder:
        yield folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_nothing_acknowledged_is_lost_or_doubled_through_failures_and_kill_9(
    converted: Path, kind: Kind
) -> None:
    if kind == "postgresql" and programs() is None:
        pytest.skip("needs PostgreSQL's initdb and pg_ctl, and as root a user postgres")
    said: list[str] = []
    campaign = Campaign(14, converted, said.append)
    campaign.run(kind, rounds=4, each=2)
    assert campaign.result.broken == [], "\n".join(said)
    assert campaign.result.rounds == 4
    assert campaign.result.decisions > 0
