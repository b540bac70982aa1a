"""The short form of fuzzing: every target with its own files, and with changed copies of them."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.all_targets import TARGETS
from tests.fuzz.mutation import mutated
from tests.fuzz.target import attempt

COPIES = 40
REFUSED = {"backup manifest": "its files are missing"}
"""Targets whose files are not what is read."""


@pytest.mark.parametrize("name", TARGETS)
def test_what_comes_in_is_read_or_refused(name: str) -> None:
    target = TARGETS[name]
    given = target.seeds()
    if name not in REFUSED:
        for seed in given:
            target.run(seed)  # or the copies would all fail at the door
    draw = random.Random(name)
    for i in range(COPIES):
        attempt(target, mutated(given[i % len(given)], draw))
