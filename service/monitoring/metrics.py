"""Every metric of the service: name, labels, buckets. Labels are closed sets; all series start at 0.

Ids, names, texts and paths as asked never become labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from service.core.audit.report import AuditReport
from service.core.counterfactual.variants import ATTRIBUTES
from service.core.groups import GroupSchema
from service.core.redaction.policy import CATEGORIES, Category
from service.runtime.observer import RuntimeObserver

Decision = Literal["selected", "not_selected"]
DECISIONS: tuple[Decision, ...] = ("selected", "not_selected")
Outcome = Literal["positive", "negative"]
OUTCOMES: tuple[Outcome, ...] = ("positive", "negative")
OTHER = "other"
CONTROL = "control"

STATUSES = ("200", "207", "400", "404", "405", "409", "413", "415", "422", "429", "500", "503")

_SCORE_BUCKETS = tuple(i / 10 for i in range(1, 11))
_SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_GAP_BUCKETS = (0.0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
_TOKENS_BUCKETS = (16, 64, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 65_536)


class Metrics(RuntimeObserver):
    """One registry with all series of one app. Thread-safe, as the client library's metrics are."""

    def __init__(self, groups: GroupSchema, routes: Sequence[str]) -> None:
        self._groups = groups
        self._routes = frozenset(routes)
        self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"evenmatch_{name}", text, labels, registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"evenmatch_{name}", text, labels, registry=self.registry)

        def histogram(name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
            return Histogram(f"evenmatch_{name}", text, labels, registry=self.registry, buckets=buckets)

        self._decisions = counter(
            "decisions_total", "Decisions by self-reported group.", "attribute", "group", "decision"
        )
        self._scores = histogram(
            "match_score", "Calibrated probability by group.", _SCORE_BUCKETS, "attribute", "group"
        )
        self._outcomes = counter(
            "outcomes_total",
            "Outcomes by group and the decision before.",
            "attribute",
            "group",
            "decision",
            "outcome",
        )
        self._requests = counter("requests_total", "Answered requests.", "route", "status")
        self._request_seconds = histogram(
            "request_seconds", "Time to answer, in seconds.", _SECONDS_BUCKETS, "route"
        )
        self._queue_depth = gauge("queue_depth", "Texts waiting for the inference thread.")
        self._batch_tokens = histogram("batch_tokens", "Tokens in one engine call.", _TOKENS_BUCKETS)
        self._inference_seconds = histogram(
            "inference_seconds", "Duration of one engine call, in seconds.", _SECONDS_BUCKETS
        )
        self._cache_hits = counter("cache_hits_total", "Texts whose vector was known already.")
        self._cache_misses = counter("cache_misses_total", "Texts that had to be encoded.")
        self._truncated = counter("truncated_total", "Texts cut at the model's length (/v1/embed only).")
        self._redactions = counter("redactions_total", "Spans hidden in resumes.", "category")
        self._unredacted = counter("unredacted_total", "Resumes read with `redact` switched off.")
        self._audits = counter(
            "counterfactual_audits_total", "Pairs of a variant and its reference.", "attribute"
        )
        self._flips = counter("counterfactual_flips_total", "Pairs decided differently.", "attribute")
        self._gaps = histogram(
            "counterfactual_score_gap", "Absolute gap of raw_score.", _GAP_BUCKETS, "attribute"
        )
        self._restarts = counter("worker_restarts_total", "Inference workers replaced after death or a hang.")
        self._model_info = gauge(
            "model_info",
            "1 for the model being served.",
            "bundle",
            "version",
            "engine",
            "device",
            "precision",
        )
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        for attribute, groups in self._groups.members().items():
            for group in groups:
                self._scores.labels(attribute, group)
                for decision in DECISIONS:
                    self._decisions.labels(attribute, group, decision)
                    for outcome in OUTCOMES:
                        self._outcomes.labels(attribute, group, decision, outcome)
        for attribute in (*ATTRIBUTES, CONTROL):
            self._audits.labels(attribute)
            self._flips.labels(attribute)
            self._gaps.labels(attribute)
        for category in CATEGORIES:
            self._redactions.labels(category)
        for route in (*sorted(self._routes), OTHER):
            self._request_seconds.labels(route)
            for status in (*STATUSES, OTHER):
                self._requests.labels(route, status)

    def decided(self, groups: Mapping[str, str], probability: float, decision: Decision) -> None:
        """Count one decision for every attribute and intersection; no group given counts as unknown."""
        for attribute, group in self._groups.memberships(groups).items():
            self._decisions.labels(attribute, group, decision).inc()
            self._scores.labels(attribute, group).observe(probability)

    def outcome(self, groups: Mapping[str, str], decision: Decision, outcome: Outcome) -> None:
        """Count the first outcome of one decision for every attribute and intersection."""
        for attribute, group in self._groups.memberships(groups).items():
            self._outcomes.labels(attribute, group, decision, outcome).inc()

    def answered(self, route: str | None, status: int, seconds: float) -> None:
        """Count one answered request under its route template."""
        label = route if route in self._routes else OTHER
        self._requests.labels(label, str(status) if str(status) in STATUSES else OTHER).inc()
        self._request_seconds.labels(label).observe(seconds)

    def redacted(self, counts: Mapping[Category, int] | None) -> None:
        """Count what was hidden in one resume; None if its redaction was switched off."""
        if counts is None:
            self._unredacted.inc()
            return
        for category, spans in counts.items():
            self._redactions.labels(category).inc(spans)

    def audited(self, report: AuditReport) -> None:
        """Count the pairs, flips and gaps of one audit, the control arm as an attribute of its own."""
        arms = [(a.attribute, group.summary) for a in report.attributes for group in a.groups]
        for attribute, summary in [*arms, *([(CONTROL, report.control)] if report.control else [])]:
            self._audits.labels(attribute).inc(summary.n)
            self._flips.labels(attribute).inc(summary.flips)
            for gap in summary.gaps:
                self._gaps.labels(attribute).observe(abs(gap))

    def truncated(self, texts: int) -> None:
        self._truncated.inc(texts)

    def serving(self, *, bundle: str, version: str, engine: str, device: str, precision: str) -> None:
        """Say which model is served."""
        self._model_info.labels(bundle, version, engine, device, precision).set(1)

    def queue_changed(self, texts: int) -> None:
        self._queue_depth.set(texts)

    def batch_done(self, tokens: int, seconds: float) -> None:
        self._batch_tokens.observe(tokens)
        self._inference_seconds.observe(seconds)

    def cache_looked_up(self, hits: int, misses: int) -> None:
        self._cache_hits.inc(hits)
        self._cache_misses.inc(misses)

    def worker_restarted(self) -> None:
        self._restarts.inc()

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)
