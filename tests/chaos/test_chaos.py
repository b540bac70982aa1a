"""A few rounds of what `python -m tests.chaos` does many times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.campaign import Campaign, models
from tests.chaos.failures import can_mount
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


@pytest.mark.slow
@pytest.mark.parametrize("failure", ["full", "read-only"])
def test_a_disk_that_takes_nothing_loses_nothing_acknowledged(converted: Path, failure: str) -> None:
    """A file system of its own, of 24 MiB, is filled to its end, or becomes read-only under the service."""
    if not can_mount():
        pytest.skip("needs the right to mount")
    said: list[str] = []
    campaign = Campaign(21, converted, said.append, only=failure)
    campaign.run("sqlite", rounds=1, each=1)
    assert campaign.result.broken == [], "\n".join(said)
    assert campaign.result.failures == {f"sqlite {failure}": 1}
    assert campaign.result.decisions > 0
