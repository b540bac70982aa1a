"""What happens in the service -> its series. Labels are closed sets; counters and histograms start at 0.

Gauges of rates are set before the app serves, and are NaN while they cannot be computed: a 0 would be a
finding.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from service.core.counterfactual.variants import ATTRIBUTES
from service.core.counterfactual_audit.summary import Arms
from service.core.groups import GroupSchema
from service.core.redaction.policy import CATEGORIES, Category
from service.core.resume_warnings import RESUME_WARNINGS, ResumeWarning
from service.core.tenants import DEFAULT_TENANT, OTHER_TENANTS
from service.metrics.baselines import Baselines
from service.metrics.live_fairness import Figures
from service.metrics.series import Series
from service.metrics.shared_values import SharedValues, keep_apart
from service.runtime.observer import SHADOW_DROPS, RuntimeObserver, ShadowDrop
from service.store.decisions import Decision
from service.store.writer import StoreObserver

DecisionLabel = Literal["selected", "not_selected"]
DECISIONS: tuple[DecisionLabel, ...] = ("selected", "not_selected")
OutcomeLabel = Literal["positive", "negative"]
OUTCOMES: tuple[OutcomeLabel, ...] = ("positive", "negative")
AuditSource = Literal["requested", "shadow"]
AUDIT_SOURCES: tuple[AuditSource, ...] = ("requested", "shadow")
OTHER = "other"
CONTROL = "control"

JOB_STATUSES = (
    "validating",
    "in_progress",
    "finalizing",
    "completed",
    "failed",
    "cancelling",
    "cancelled",
    "expired",
)
ROW_OUTCOMES = ("completed", "failed")
WEBHOOK_OUTCOMES = ("delivered", "failed", "given_up")
DOCUMENT_OUTCOMES = ("read", "refused", "failed")

CloseReason = Literal["header_timeout", "body_timeout", "write_timeout", "evicted", "invalid_request"]
CLOSE_REASONS: tuple[CloseReason, ...] = get_args(CloseReason)
STATUSES = (
    "200",
    "202",
    "204",
    "207",
    "400",
    "401",
    "403",
    "404",
    "405",
    "408",
    "409",
    "413",
    "415",
    "422",
    "429",
    "431",
    "499",
    "500",
    "503",
)
"""499: the caller hung up before the answer."""


class Metrics(RuntimeObserver, StoreObserver):
    """All series of one app, in a registry of its own or in files `shared` with its sister processes.

    Thread-safe, as the client library's metrics are.
    """

    def __init__(
        self,
        groups: GroupSchema,
        routes: Sequence[str],
        *,
        shared: SharedValues | None = None,
        tenants: Sequence[str] = (),
    ) -> None:
        """`tenants`: those that have series of their own, the rest being `other`; none for no such label."""
        self._groups = groups
        self._tenants = frozenset(tenants)
        self._routes = frozenset(routes)
        self._shared = shared
        if shared is None:
            keep_apart()
        else:
            shared.join()
        self.registry = CollectorRegistry()
        self._series = Series(self.registry, by_tenant=bool(tenants))
        self._start_at_zero()
        if shared is not None:
            shared.counts_from_now_on()

    def _start_at_zero(self) -> None:
        series = self._series
        tenants = [(one,) for one in (*sorted(self._tenants), OTHER_TENANTS)] if self._tenants else [()]
        for attribute, groups in self._groups.members().items():
            for group, tenant in product(groups, tenants):
                series.scores.labels(attribute, group, *tenant)
                for decision in DECISIONS:
                    series.decisions.labels(attribute, group, decision, *tenant)
                    for outcome in OUTCOMES:
                        series.outcomes.labels(attribute, group, decision, outcome, *tenant)
        for labels in product((*ATTRIBUTES, CONTROL), AUDIT_SOURCES, ("true", "false")):
            for counted in (series.audits, series.flips, series.gaps):
                counted.labels(*labels)
        for redact in ("true", "false"):
            series.shadow_audits.labels(redact)
        for reason in SHADOW_DROPS:
            series.shadow_drops.labels(reason)
        for category in CATEGORIES:
            series.redactions.labels(category)
        for code in RESUME_WARNINGS:
            series.warnings.labels(code)
        for status in JOB_STATUSES:
            series.jobs.labels(status)
        for of_row in ROW_OUTCOMES:
            series.job_rows.labels(of_row)
        for of_try in WEBHOOK_OUTCOMES:
            series.webhooks.labels(of_try)
        for of_document in DOCUMENT_OUTCOMES:
            series.documents.labels(of_document)
        for closed in CLOSE_REASONS:
            series.connections_closed.labels(closed)
        for route in (*sorted(self._routes), OTHER):
            series.request_seconds.labels(route)
            for status in (*STATUSES, OTHER):
                series.requests.labels(route, status)

    def decided(
        self,
        groups: Mapping[str, str],
        probability: float,
        decision: DecisionLabel,
        *,
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        """Count one decision for every attribute and intersection; no group given counts as unknown."""
        of = self._tenant(tenant)
        for attribute, group in self._groups.memberships(groups).items():
            self._series.decisions.labels(attribute, group, decision, *of).inc()
            self._series.scores.labels(attribute, group, *of).observe(probability)

    def outcome(
        self,
        groups: Mapping[str, str],
        decision: DecisionLabel,
        outcome: OutcomeLabel,
        *,
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        """Count the first outcome of one decision for every attribute and intersection."""
        of = self._tenant(tenant)
        for attribute, group in self._groups.memberships(groups).items():
            self._series.outcomes.labels(attribute, group, decision, outcome, *of).inc()

    def fairness(self, figures: Figures, tenant: str = DEFAULT_TENANT) -> None:
        """Show figures by (attribute, group, window). What is not in the group schema is left out."""
        members = self._groups.members()
        for (attribute, group, window), of in figures.items():
            if group not in members.get(attribute, ()):
                continue
            labels = (attribute, group, window, *self._tenant(tenant))
            self._series.selection_rate.labels(*labels).set(_or_nan(of.selection_rate))
            self._series.impact_ratio.labels(*labels).set(_or_nan(of.impact_ratio))
            self._series.sample_size.labels(*labels).set(_or_nan(of.sample_size))

    def baselines(self, baselines: Baselines) -> None:
        """Show what the bundle's evaluation found, of the attributes that are monitored."""
        monitored = self._groups.members()
        for (attribute, measure), value in baselines.parity.items():
            if attribute in monitored:
                self._series.baseline_parity.labels(attribute, measure).set(value)
        for upper, share in baselines.score_shares.items():
            self._series.baseline_scores.labels(str(upper)).set(share)

    def answered(self, route: str | None, status: int, seconds: float) -> None:
        """Count one answered request under its route template."""
        label = route if route in self._routes else OTHER
        self._series.requests.labels(label, str(status) if str(status) in STATUSES else OTHER).inc()
        self._series.request_seconds.labels(label).observe(seconds)

    def redacted(self, counts: Mapping[Category, int] | None) -> None:
        """Count what was hidden in one resume; None if its redaction was switched off."""
        if counts is None:
            self._series.unredacted.inc()
            return
        for category, spans in counts.items():
            self._series.redactions.labels(category).inc(spans)

    def warned(self, warnings: Iterable[ResumeWarning]) -> None:
        """Count the warnings about one resume."""
        for code in warnings:
            self._series.warnings.labels(code).inc()

    def document_read(self, outcome: str) -> None:
        """Count a document that was given to be read."""
        self._series.documents.labels(outcome).inc()

    def audited(self, arms: Arms, *, redact: bool, source: AuditSource) -> None:
        """Count the pairs, flips and gaps of one audit, the control arm as an attribute of its own."""
        for attribute, arm in arms.items():
            labels = (attribute, source, _bool(redact))
            self._series.audits.labels(*labels).inc(len(arm.gaps))
            self._series.flips.labels(*labels).inc(arm.flips)
            gaps = self._series.gaps.labels(*labels)
            for gap in arm.gaps:
                gaps.observe(abs(gap))

    def shadow_audited(self, arms: Arms, *, redact: bool) -> None:
        self._series.shadow_audits.labels(_bool(redact)).inc()
        self.audited(arms, redact=redact, source="shadow")

    def shadow_dropped(self, reason: ShadowDrop) -> None:
        self._series.shadow_drops.labels(reason).inc()

    def truncated(self, texts: int) -> None:
        self._series.truncated.inc(texts)

    def chunk_decided(
        self,
        decisions: Sequence[Decision],
        read: Iterable[tuple[Mapping[Category, int] | None, Sequence[ResumeWarning]]],
    ) -> None:
        """Count the decisions of a batch job, and what was read of their resumes."""
        # As `decided` does, but with one look-up of each series: a job may have millions.
        groups_of: dict[int, list[tuple[str, str]]] = {}
        scores: dict[tuple[str, ...], Histogram] = {}
        counts: Counter[tuple[str, ...]] = Counter()
        for decision in decisions:
            tenant = self._tenant(decision.tenant)
            groups = groups_of.get(id(decision.groups))  # that of a person's row, against many postings
            if groups is None:
                groups = list(self._groups.memberships(decision.groups).items())
                groups_of[id(decision.groups)] = groups
            for of in groups:
                counts[(*of, decision.decision, *tenant)] += 1
                of_score = (*of, *tenant)
                if of_score not in scores:
                    scores[of_score] = self._series.scores.labels(*of_score)
                scores[of_score].observe(decision.calibrated_probability)
        for labels, count in counts.items():
            self._series.decisions.labels(*labels).inc(count)
        for redactions, warnings in read:
            self.redacted(redactions)
            self.warned(warnings)

    def chunk_done(self, completed: int, failed: int, seconds: float) -> None:
        self._series.job_rows.labels("completed").inc(completed)
        self._series.job_rows.labels("failed").inc(failed)
        self._series.job_chunk_seconds.observe(seconds)

    def jobs_counted(self, by_status: Mapping[str, int]) -> None:
        for status in JOB_STATUSES:
            self._series.jobs.labels(status).set(by_status.get(status, 0))

    def webhook_sent(self, outcome: Literal["delivered", "failed", "given_up"]) -> None:
        self._series.webhooks.labels(outcome).inc()

    def serving(self, *, bundle: str, version: str, engine: str, device: str, precision: str) -> None:
        """Say which model is served."""
        self._series.model_info.labels(bundle, version, engine, device, precision).set(1)

    def process_ready(self, *, wanted: int, replaces: bool) -> None:
        """Say that this process serves, as one of `wanted`; `replaces`: in the place of a dead one."""
        self._series.processes.set(1)
        self._series.processes_wanted.set(wanted)
        self._series.replacements.inc(int(replaces))

    def connections_changed(self, connections: int) -> None:
        self._series.connections.set(connections)

    def connection_closed(self, reason: CloseReason) -> None:
        self._series.connections_closed.labels(reason).inc()

    def queue_changed(self, texts: int) -> None:
        self._series.queue_depth.set(texts)

    def batch_done(self, tokens: int, seconds: float) -> None:
        self._series.batch_tokens.observe(tokens)
        self._series.inference_seconds.observe(seconds)

    def cache_looked_up(self, hits: int, misses: int) -> None:
        self._series.cache_hits.inc(hits)
        self._series.cache_misses.inc(misses)

    def worker_restarted(self) -> None:
        self._series.restarts.inc()

    def decisions_stored(self, decisions: int) -> None:
        self._series.stored.inc(decisions)

    def store_failed(self) -> None:
        self._series.store_failures.inc()

    def store_lost(self) -> None:
        self._series.store_lost.set(1)

    def store_queue_changed(self, decisions: int) -> None:
        self._series.store_depth.set(decisions)

    def spool_changed(self, decisions: int) -> None:
        self._series.spooled.set(decisions)

    def keep(self) -> None:
        """Call now and then: files of values that somebody removed are written again.

        Raises `MetricsLostError` if that cannot be done; `exposition` then raises it, too.
        """
        if self._shared is not None:
            self._shared.restore()

    def _tenant(self, tenant: str) -> tuple[str, ...]:
        """The label for a tenant; none if the settings name no tenants."""
        if not self._tenants:
            return ()
        return (tenant if tenant in self._tenants else OTHER_TENANTS,)

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes. Raises `MetricsLostError`: what is there is not all."""
        return generate_latest(self.registry) if self._shared is None else self._shared.exposition()


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _bool(value: bool) -> str:
    return "true" if value else "false"
