"""The scores of an audit's texts, requested or in the background, encoded in parts while more are made."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401  # else the first `to_thread` reads it from disk
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from anyio import CancelScope, to_thread

from service.core.counterfactual_audit.plan import (
    AuditResume,
    CounterfactualOptions,
    CounterfactualPlan,
    Pause,
    plan_audit,
)
from service.core.counterfactual_audit.results import CounterfactualReport
from service.core.counterfactual_audit.summary import summarise
from service.core.matching import Match, TokenizedJob, TokenizedResume
from service.core.tenants import DEFAULT_TENANT
from service.runtime.runtime import Runtime

_PART = 64
"""Texts of an audit that are queued at once."""

_BACKGROUND_PART = 4
"""The same in the background: their scores are computed in the event loop, between requests."""


@dataclass(frozen=True, slots=True)
class Audit:
    """An audit's texts and what their scores say."""

    plan: CounterfactualPlan
    report: CounterfactualReport


class _GivenUp(Exception):
    """Ends the planning of an audit for which nobody waits any more."""


async def audit_resumes(
    runtime: Runtime,
    description: str,
    title: str | None,
    resumes: Sequence[AuditResume],
    options: CounterfactualOptions,
    *,
    tenant: str = DEFAULT_TENANT,
) -> Audit:
    """Score the texts of an audit in parts, while the rest is planned, and summarise.

    Raises what `plan_audit` and `Runtime.match` raise.
    """
    plan, matches = await score_variants(runtime, description, title, resumes, options, tenant=tenant)
    # A thread cannot be stopped: who leaves waits for it, so that audits stay as many as may be.
    return Audit(plan, await to_thread.run_sync(summarise, plan, matches))


async def score_variants(
    runtime: Runtime,
    description: str,
    title: str | None,
    resumes: Sequence[AuditResume],
    options: CounterfactualOptions,
    *,
    pause: Pause | None = None,
    tenant: str = DEFAULT_TENANT,
) -> tuple[CounterfactualPlan, list[Match]]:
    """Plan an audit and score its texts, in parts so that other requests come between.

    With `pause` the audit is background work: its texts wait behind all others, and `pause` is called, in a
    thread, before each step. Raises what `plan_audit`, `Runtime.match` and `pause` raise.
    """
    limits = runtime.options.limits
    loop = asyncio.get_running_loop()
    given_up = threading.Event()
    size = _PART if pause is None else _BACKGROUND_PART
    waiting: list[tuple[TokenizedJob, TokenizedResume]] = []
    changed = asyncio.Event()

    def arrived(job: TokenizedJob, texts: list[TokenizedResume]) -> None:
        waiting.extend((job, text) for text in texts)
        changed.set()

    def ready(job: TokenizedJob, texts: list[TokenizedResume]) -> None:
        loop.call_soon_threadsafe(arrived, job, texts)

    def step() -> None:
        if given_up.is_set():
            raise _GivenUp
        if pause is not None:
            pause()

    planning = asyncio.create_task(
        asyncio.to_thread(
            plan_audit,
            runtime.matcher,
            description,
            title,
            resumes,
            options,
            max_resumes=limits.max_candidates,
            max_characters=limits.max_text_characters,
            max_texts=limits.max_audit_texts,
            max_total=limits.max_audit_characters,
            ready=ready,
            pause=step,
        )
    )
    planning.add_done_callback(lambda _: changed.set())
    matches: list[Match] = []
    try:
        while waiting or not planning.done():
            if waiting:
                # One part after the other: what they share is in the cache when the next is looked up.
                part, waiting[:] = waiting[:size], waiting[size:]
                if pause is not None:
                    await asyncio.to_thread(pause)
                matches += await runtime.match(
                    part[0][0],
                    [text for _, text in part],
                    lane="live" if pause is None else "background",
                    tenant=tenant,
                )
            else:
                changed.clear()
                await changed.wait()
    finally:
        given_up.set()
        with CancelScope(shield=True):  # so that no more threads plan than audits may run
            await asyncio.wait({planning})
        if not planning.cancelled():
            planning.exception()  # looked at, or asyncio would log it, and its message might quote a text
    return planning.result(), matches
