from __future__ import annotations

import pytest

from service.core.errors import ConfigurationError, SealedError
from service.jobs.sealing import Sealer
from tests.support.decision_logs import KEY


def test_what_is_sealed_is_opened_by_the_same_key_for_the_same_owner_only() -> None:
    sealer, content = Sealer.of("", KEY), b"a resume " * 100
    sealed = sealer.seal(content, "job/1")
    assert sealer.open(sealed, "job/1") == content
    assert Sealer.of("", KEY).open(sealed, "job/1") == content
    assert b"resume" not in sealed
    assert len(sealed) < len(content)
    assert sealer.seal(content, "job/1") != sealed
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for key, piece, owner in (
        (sealer, sealed, "job/2"),
        (sealer, changed, "job/1"),
        (Sealer.of("another key of 16 and more", KEY), sealed, "job/1"),
    ):
        with pytest.raises(SealedError):
            key.open(piece, owner)


def test_a_key_that_is_no_secret_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="jobs_key has 5 characters"):
        Sealer.of("short", KEY)
