"""Every series of the service: name, text, labels, buckets, and how several processes' values are joined.

Labels are closed sets: ids, names, texts and paths as asked never become labels. Counters and histograms of
several processes are summed; a gauge says how its values are joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

Join = Literal["livesum", "livemax", "livemostrecent"]
"""Over the processes that are alive: their sum, the largest, or what was set last."""

SCORE_BUCKETS = tuple(i / 10 for i in range(1, 11))
_SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_CHUNK_SECONDS_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_GAP_BUCKETS = (0.0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
_TOKENS_BUCKETS = (16, 64, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 65_536)


class Series:
    """The series of one app, registered with `registry`.

    `by_tenant`: what is told of groups of people has a label `tenant`, too, as the last one.
    """

    def __init__(self, registry: CollectorRegistry, *, by_tenant: bool = False) -> None:
        # `_created` series would add a quarter to every scrape and say when the process started.
        disable_created_metrics()  # type: ignore[no-untyped-call]

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"evenmatch_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, join: Join, *labels: str) -> Gauge:
            return Gauge(f"evenmatch_{name}", text, labels, registry=registry, multiprocess_mode=join)

        def histogram(name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
            return Histogram(f"evenmatch_{name}", text, labels, registry=registry, buckets=buckets)

        group = ("attribute", "group")
        tenant = ("tenant",) if by_tenant else ()
        self.decisions = counter(
            "decisions_total", "Decisions by self-reported group.", *group, "decision", *tenant
        )
        self.scores = histogram(
            "match_score", "Calibrated probability by group.", SCORE_BUCKETS, *group, *tenant
        )
        self.outcomes = counter(
            "outcomes_total",
            "Outcomes by group and the decision before.",
            *group,
            "decision",
            "outcome",
            *tenant,
        )

        window = (*group, "window", *tenant)
        self.selection_rate = gauge(
            "fairness_selection_rate", "Selected / decided in the window.", "livemostrecent", *window
        )
        self.impact_ratio = gauge(
            "fairness_impact_ratio", "selection_rate / the highest group's.", "livemostrecent", *window
        )
        self.sample_size = gauge(
            "fairness_sample_size", "Decisions that the two figures stand on.", "livemostrecent", *window
        )
        self.baseline_parity = gauge(
            "baseline_parity_difference",
            "Largest difference between groups on the bundle's test data.",
            "livemax",
            "attribute",
            "measure",
        )
        self.baseline_scores = gauge(
            "baseline_match_score_share",
            "Share of the bundle's test pairs with a calibrated probability up to `upper`.",
            "livemax",
            "upper",
        )

        arm = ("attribute", "source", "redact")
        self.audits = counter("counterfactual_audits_total", "Pairs of a variant and its reference.", *arm)
        self.flips = counter("counterfactual_flips_total", "Pairs decided differently.", *arm)
        self.gaps = histogram("counterfactual_score_gap", "Absolute gap of raw_score.", _GAP_BUCKETS, *arm)
        self.shadow_audits = counter(
            "shadow_audits_total", "Scored candidates audited in the background.", "redact"
        )
        self.shadow_drops = counter(
            "shadow_audits_dropped_total", "Candidates chosen for an audit that were not audited.", "reason"
        )

        self.requests = counter("requests_total", "Answered requests.", "route", "status")
        self.request_seconds = histogram(
            "request_seconds", "Time to answer, in seconds.", _SECONDS_BUCKETS, "route"
        )
        self.connections = gauge("connections", "Open connections.", "livesum")
        self.connections_closed = counter(
            "connections_closed_total",
            "Connections closed for what their client did or left out.",
            "reason",
        )
        self.queue_depth = gauge("queue_depth", "Texts of requests waiting for inference.", "livesum")
        self.batch_tokens = histogram("batch_tokens", "Tokens in one engine call.", _TOKENS_BUCKETS)
        self.inference_seconds = histogram(
            "inference_seconds", "Duration of one engine call, in seconds.", _SECONDS_BUCKETS
        )
        self.cache_hits = counter("cache_hits_total", "Texts whose vector was known already.")
        self.cache_misses = counter("cache_misses_total", "Texts that had to be encoded.")
        self.truncated = counter("truncated_total", "Texts cut at the model's length (/v1/embed only).")
        self.redactions = counter("redactions_total", "Spans hidden in resumes.", "category")
        self.warnings = counter("resume_warnings_total", "Warnings given about resumes.", "code")
        self.documents = counter("documents_total", "Documents that were given to be read.", "outcome")
        self.unredacted = counter("unredacted_total", "Resumes read with `redact` switched off.")
        self.restarts = counter("worker_restarts_total", "Inference threads replaced after death or a hang.")
        self.processes = gauge("processes", "Serving processes that are ready.", "livesum")
        self.processes_wanted = gauge("processes_wanted", "Serving processes as set.", "livemax")
        self.replacements = counter(
            "process_replacements_total", "Serving processes started in the place of one that died or hung."
        )
        self.model_info = gauge(
            "model_info",
            "1 for the model being served.",
            "livemax",
            "bundle",
            "version",
            "engine",
            "device",
            "precision",
        )

        self.jobs = gauge("jobs", "Batch jobs in the database, by status.", "livemax", "status")
        self.job_rows = counter("job_rows_total", "Rows of batch jobs that are done.", "outcome")
        self.job_chunk_seconds = histogram(
            "job_chunk_seconds", "Time for a chunk of a batch job, in seconds.", _CHUNK_SECONDS_BUCKETS
        )
        self.webhooks = counter("webhooks_total", "Tries to tell a webhook of a job's end.", "outcome")

        self.stored = counter("stored_decisions_total", "Decisions written to the decision store.")
        self.store_depth = gauge("store_queue_depth", "Decisions waiting to be written.", "livesum")
        self.store_failures = counter("store_failures_total", "Failed attempts to write to the store.")
        self.spooled = gauge("spooled_decisions", "Decisions on disk, waiting for the database.", "livesum")
        self.store_lost = gauge(
            "store_lost", "1 once the database's file was deleted or replaced under a process.", "livemax"
        )
