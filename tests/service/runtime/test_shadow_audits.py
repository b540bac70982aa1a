from __future__ import annotations

import asyncio
import gc
import logging
import random
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from service.core.bundle import Bundle
from service.core.counterfactual_audit.plan import AuditResume, CounterfactualOptions
from service.core.counterfactual_audit.summary import Arms, arms_of_report
from service.core.engines.loading import LoadedModel
from service.core.tokenization import TextTokenizer, TokenIds
from service.runtime.auditing import audit_resumes
from service.runtime.devices import EngineChoice
from service.runtime.observer import RuntimeObserver, ShadowDrop
from service.runtime.open_requests import OpenRequests
from service.runtime.options import ModelOptions, RuntimeOptions
from service.runtime.runtime import Runtime
from service.runtime.shadow_audits import ShadowAuditor, ShadowOptions
from tests.support.fakes import FakeEngine
from tests.support.patience import PATIENCE

JOB = ("build the payment service in python and java", "backend engineer")
RESUME = "Emily Walsh\nemily.walsh@x.org\n\nSummary\nShe built the payment service in python and java.\n"
SECRET = "Zaphod"


class Heard(RuntimeObserver):
    def __init__(self) -> None:
        self.audited: list[tuple[Arms, bool]] = []
        self.dropped: list[ShadowDrop] = []

    def shadow_audited(self, arms: Arms, *, redact: bool) -> None:
        self.audited.append((arms, redact))

    def shadow_dropped(self, reason: ShadowDrop) -> None:
        self.dropped.append(reason)

    @property
    def ended(self) -> int:
        return len(self.audited) + len(self.dropped)


class Bench:
    """A runtime on the fake engine, its open requests, and who hears of shadow audits."""

    def __init__(self, bundle: Bundle, tokenizer: Path) -> None:
        self.engine = FakeEngine()
        self.heard = Heard()
        self.live = OpenRequests()
        self.runtime = Runtime(
            bundle,
            LoadedModel(self.engine, TextTokenizer.load(tokenizer, bundle.manifest)),
            EngineChoice("openvino", "cpu", "a fake, for tests"),
            RuntimeOptions(bundle.path, ModelOptions(bundle=str(bundle.path))),
            reload=FakeEngine,
            observer=self.heard,
        )
        self.runtime.start()

    def auditor(self, *, seed: int = 0, **options: Any) -> ShadowAuditor:
        chosen = ShadowOptions(**{"share": 1.0, **options})
        auditor = ShadowAuditor(self.runtime, self.live, chosen, self.heard, rng=random.Random(seed))
        auditor.start()
        return auditor

    async def ends(self, count: int) -> None:
        """Wait until `count` audits were made or dropped."""
        await until(lambda: self.heard.ended >= count)
        assert self.heard.ended == count


async def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        await asyncio.sleep(0.005)


@pytest.fixture
def bench(tiny_bundle: Bundle, bge_like: Path) -> Iterator[Bench]:
    made = Bench(tiny_bundle, bge_like / "tokenizer.json")
    yield made
    made.runtime.stop(5)


def _sorted(arms: Arms) -> dict[str, tuple[list[float], int]]:
    """A report keeps gaps by group, an audit in the order of the variants."""
    return {attribute: (sorted(arm.gaps), arm.flips) for attribute, arm in arms.items()}


@pytest.mark.parametrize("redact", [True, False])
async def test_it_counts_what_a_requested_audit_with_the_same_seed_finds(bench: Bench, redact: bool) -> None:
    auditor = bench.auditor(seed=7, names_per_group=3, controls=5)
    auditor.offer(*JOB, [RESUME], redact=redact)
    await bench.ends(1)
    await auditor.stop()
    rng = random.Random(7)
    rng.random()  # the choice of the candidate
    options = CounterfactualOptions(names_per_group=3, controls=5, redact=redact, seed=rng.getrandbits(31))
    direct = await audit_resumes(bench.runtime, *JOB, [AuditResume("shadow", RESUME)], options)
    ((arms, heard_redact),) = bench.heard.audited
    assert heard_redact == redact
    assert _sorted(arms) == _sorted(arms_of_report(direct.report))
    assert len(arms["name"].gaps) == 24
    assert not any(arms["name"].gaps)  # names decide nothing, asked to redact or not
    assert any(arms["pronoun"].gaps) == (not redact)


async def test_the_model_without_redaction_can_be_audited_whatever_was_asked(bench: Bench) -> None:
    auditor = bench.auditor(unredacted=True, attributes=("pronoun",))
    auditor.offer(*JOB, [RESUME], redact=True)
    await bench.ends(1)
    await auditor.stop()
    ((arms, redact),) = bench.heard.audited
    assert not redact
    assert any(arms["pronoun"].gaps)
    assert set(arms) == {"pronoun", "control"}


async def test_a_share_of_candidates_is_chosen_and_no_more_than_allowed_of_a_request(bench: Bench) -> None:
    auditor = bench.auditor(share=0.25, per_request=400, backlog=1_000, attributes=("pronoun",))
    with bench.live.request():
        auditor.offer(*JOB, [RESUME] * 400, redact=True)
        await auditor.stop()
    assert set(bench.heard.dropped) == {"shutting_down"}
    assert 60 <= len(bench.heard.dropped) <= 140  # a seed's worth of luck around 100
    bench.heard.dropped.clear()
    bench.live = OpenRequests()
    capped = bench.auditor(per_request=2, backlog=1_000)
    with bench.live.request():
        capped.offer(*JOB, [RESUME] * 400, redact=True)
        await capped.stop()
    assert bench.heard.dropped == ["shutting_down"] * 2


async def test_a_share_of_zero_keeps_no_text_and_does_nothing(bench: Bench) -> None:
    auditor = bench.auditor(share=0.0)
    text = _text()
    held = weakref.ref(text)
    auditor.offer(*JOB, [text], redact=True)
    del text
    assert held() is None
    await auditor.stop()
    assert bench.heard.ended == 0


async def test_nothing_is_computed_while_a_request_is_open(bench: Bench) -> None:
    auditor = bench.auditor(attributes=("name",))
    with bench.live.request():
        auditor.offer(*JOB, [RESUME], redact=False)
        await asyncio.sleep(0.1)
        assert bench.engine.batches == []
    await bench.ends(1)
    await auditor.stop()
    assert bench.engine.batches


async def test_a_request_that_comes_meanwhile_stops_the_audit_until_it_is_answered(bench: Bench) -> None:
    auditor = bench.auditor(attributes=("name",), names_per_group=5)
    opened = bench.live.request()

    def come(batch: Sequence[TokenIds]) -> None:
        bench.engine.before = None
        opened.__enter__()

    bench.engine.before = come
    auditor.offer(*JOB, [RESUME], redact=False)
    await until(lambda: bool(bench.engine.batches))
    await asyncio.sleep(0.2)  # what was queued before may still be encoded
    so_far = len(bench.engine.batches)
    await asyncio.sleep(0.1)
    assert len(bench.engine.batches) == so_far
    assert bench.heard.ended == 0
    opened.__exit__(None, None, None)
    await bench.ends(1)
    await auditor.stop()


async def test_under_lasting_load_audits_are_dropped(bench: Bench) -> None:
    auditor = bench.auditor(hold_seconds=0.05, backlog=2, per_request=5)
    with bench.live.request():
        auditor.offer(*JOB, [RESUME] * 5, redact=True)
        assert bench.heard.dropped == ["backlog_full"] * 3
        await bench.ends(5)
    assert bench.heard.dropped[3:] == ["queue_busy"] * 2
    await auditor.stop()
    assert bench.engine.batches == []


async def test_stopping_breaks_off_and_drops_what_waits(bench: Bench) -> None:
    auditor = bench.auditor(per_request=3)
    with bench.live.request():
        auditor.offer(*JOB, [RESUME] * 3, redact=True)
        await asyncio.sleep(0.05)
        await auditor.stop()
    assert bench.heard.dropped == ["shutting_down"] * 3


async def test_a_failing_audit_is_counted_prints_no_text_and_the_next_one_goes_on(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object, **__: object) -> None:
        raise KeyError(f"{SECRET} Beeblebrox")

    auditor = bench.auditor(attributes=("name",))
    with caplog.at_level(logging.DEBUG):
        with monkeypatch.context() as broken:
            broken.setattr(bench.runtime.matcher, "tokenize_read", bug)
            auditor.offer(*JOB, [f"{SECRET} {RESUME}"], redact=False)
            await bench.ends(1)

        def fail(batch: Sequence[TokenIds]) -> None:
            raise RuntimeError(f"{SECRET} in the engine")

        bench.engine.before = fail
        auditor.offer(*JOB, [f"{SECRET} {RESUME}"], redact=False)
        await bench.ends(2)
        bench.engine.before = None
        auditor.offer(*JOB, [f"{SECRET} {RESUME}"], redact=False)
        await bench.ends(3)
        await auditor.stop()
        gc.collect()  # of what asyncio would still complain about
    assert bench.heard.dropped == ["error", "error"]
    assert len(bench.heard.audited) == 1
    assert "a shadow audit failed: KeyError" in caplog.text
    assert SECRET not in caplog.text


class _Text(str):
    """A string whose end can be seen."""


def _text() -> _Text:
    return _Text(RESUME)


@pytest.mark.parametrize("fails", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_the_text_is_let_go_when_its_audit_ends(
    bench: Bench, fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object, **__: object) -> None:
        raise KeyError

    if fails:
        monkeypatch.setattr(bench.runtime.matcher, "tokenize_read", bug)
    auditor = bench.auditor()
    text = _text()
    held = weakref.ref(text)
    auditor.offer(*JOB, [text], redact=False)
    del text
    assert held() is not None
    await bench.ends(1)
    await asyncio.sleep(0.01)
    gc.collect()
    assert held() is None
    await auditor.stop()


def test_a_waiting_candidate_has_no_text_in_its_repr(bench: Bench) -> None:
    from service.runtime.shadow_audits import _Candidate

    assert SECRET not in repr(_Candidate(SECRET, SECRET, SECRET, True, 0.0))
