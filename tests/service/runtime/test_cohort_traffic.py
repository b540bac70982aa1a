"""Vectors of live requests: a bounded, uniform sample that several processes write to, with retention."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from service.core.bundle import Bundle
from service.core.resume_warnings import ResumeWarning
from service.runtime.cohort_traffic import (
    SUFFIX,
    CohortCollecting,
    CohortTraffic,
    collected,
    erase_from_traffic,
    may_be_collected,
    place_of,
    purge,
)
from tests.support.cohorts import random_references

DAY = 86_400.0


def sign(purpose: str, parts: Sequence[str | int | None]) -> str:
    return hmac.new(b"key", json.dumps([purpose, *parts]).encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def place(tmp_path: Path, tiny_bundle: Bundle) -> Path:
    return place_of(tmp_path, tiny_bundle, ["name"], None)


def sample(place: Path) -> list[str]:
    return sorted(file.name for file in place.glob(f"*{SUFFIX}"))


def test_several_writers_keep_the_same_bounded_sample_as_one(place: Path, tiny_bundle: Bundle) -> None:
    resumes = random_references(tiny_bundle, 60).resumes
    options = CohortCollecting(cohort_collect=True, cohort_resumes=15)
    writers = [CohortTraffic(place, options, sign) for _ in range(3)]

    def offer(writer: CohortTraffic, order: Sequence[int]) -> None:
        for i in order:
            writer.offer_resume(resumes[i], f"c-{i}")

    chance = np.random.default_rng(0)
    orders = [[int(i) for i in chance.permutation(60)] for _ in writers]
    threads = [threading.Thread(target=offer, args=pair) for pair in zip(writers, orders, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in writers:
        writer.stop()
    alone = CohortTraffic(place.with_name("alone"), options, sign)
    offer(alone, range(60))
    alone.stop()
    assert len(sample(place)) == 15
    assert sample(place) == sample(place.with_name("alone"))
    found = [one.body for one in collected(place, "resume")]
    assert all(
        min(np.abs(one - other).max() for other in resumes if len(other) == len(one)) < 1e-3 for one in found
    )


def test_each_tenant_has_a_sample_of_its_own_and_candidates_of_its_own(
    tmp_path: Path, place: Path, tiny_bundle: Bundle
) -> None:
    resumes = random_references(tiny_bundle, 6).resumes
    options = CohortCollecting(cohort_collect=True, cohort_resumes=2)
    traffic = CohortTraffic(place, options, sign)
    for i, vectors in enumerate(resumes):
        traffic.offer_resume(vectors, "c-1", "acme" if i % 2 else "default")
    traffic.stop()
    of_acme = place_of(tmp_path, tiny_bundle, ["name"], None, "acme")
    assert (of_acme != place, len(sample(place)), len(sample(of_acme))) == (True, 2, 2)
    assert erase_from_traffic(tmp_path, sign, "c-1", "zeta") == 0
    assert erase_from_traffic(tmp_path, sign, "c-1", "acme") == 2
    assert (len(sample(place)), len(sample(of_acme))) == (2, 0)


def test_what_is_over_is_deleted_and_a_person_goes_from_all_bundles(
    tmp_path: Path, place: Path, tiny_bundle: Bundle
) -> None:
    resumes = random_references(tiny_bundle, 4).resumes
    other = place.with_name("another-bundle")
    for folder in (place, other):
        traffic = CohortTraffic(folder, CohortCollecting(cohort_collect=True), sign)
        for i, vectors in enumerate(resumes):
            traffic.offer_resume(vectors, f"c-{i % 2}")
        traffic.stop()
    assert erase_from_traffic(tmp_path, sign, "c-0") == 4
    assert erase_from_traffic(tmp_path, sign, "nobody") == 0
    old = place / sample(place)[0]
    os.utime(old, (time.time() - 91 * DAY, time.time() - 91 * DAY))
    assert purge(place.parent, 90) == 1
    assert len(sample(place)) == 1
    assert len(sample(other)) == 2


def test_a_full_disk_or_a_damaged_file_disturbs_nobody(place: Path, tiny_bundle: Bundle) -> None:
    (resume,) = random_references(tiny_bundle, 1).resumes
    traffic = CohortTraffic(place, CohortCollecting(cohort_collect=True), sign)
    traffic.offer_resume(resume, "c-1")
    traffic.stop()
    (place / f"resume-{'0' * 32}-{'0' * 32}{SUFFIX}").write_bytes(b"broken")
    assert len(list(collected(place, "resume"))) == 1
    blocked = place.with_name("file")
    blocked.write_text("no folder")
    traffic = CohortTraffic(blocked, CohortCollecting(cohort_collect=True), sign)
    traffic.offer_resume(resume, "c-1")
    traffic.stop()
    assert blocked.read_text() == "no folder"


def test_vectors_of_other_bundles_and_redactions_lie_elsewhere(tmp_path: Path, tiny_bundle: Bundle) -> None:
    places = {
        place_of(tmp_path, tiny_bundle, ["name"], None),
        place_of(tmp_path, tiny_bundle, ["name", "school"], None),
        place_of(tmp_path, tiny_bundle, ["name"], "en_core_web_sm"),
    }
    assert len(places) == 3
    assert len({place.parent for place in places}) == 1


@pytest.mark.parametrize(
    ("warnings", "expected"),
    [
        ((), True),
        (("not_english", "no_name_found"), True),
        (("not_a_resume",), False),
        (("several_names",), False),
    ],
)
def test_what_may_be_no_resume_is_not_collected(warnings: tuple[ResumeWarning, ...], expected: bool) -> None:
    assert may_be_collected(warnings) is expected
