"""The dashboard of the service itself: for whoever operates it."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from dashboards import panels as p
from dashboards.panels import Query

USERS = 'route=~"/v1/.*"'


def operations() -> dashboard.Dashboard:
    """Requests, errors, durations, and what they depend on."""
    return p.board(
        "evenmatch-service",
        "Evenmatch: service",
        "Requests, inference, the decision store and shadow audits of all replicas.",
        [_now(), _requests(), _inference(), _storing(), _auditing()],
    )


def _rate(metric: str, by: str = "", matching: str = "") -> str:
    return f"sum{f' by ({by})' if by else ''} (rate(evenmatch_{metric}{matching}[$__rate_interval]))"


def _quantile(share: float, metric: str, by: str = "", matching: str = "") -> str:
    return f"histogram_quantile({share}, {_rate(metric + '_bucket', ', '.join(filter(None, ('le', by))), matching)})"


def _quantiles(metric: str) -> list[Query]:
    return [Query(_quantile(share, metric), f"p{100 * share:g}") for share in (0.5, 0.95, 0.99)]


def _now() -> p.Row:
    firing = 'ALERTS{team="service", alertstate="firing"}'
    return dashboard.Row("Now"), [
        p.number(
            "Replicas that answer",
            "Instances that Prometheus can read. It says nothing of readiness.",
            Query('sum(up{job="evenmatch"})'),
            mark=p.line(1),
        ),
        p.number(
            "Serving processes",
            "Processes that are ready, over all replicas.",
            Query("sum(evenmatch_processes)"),
        ),
        p.number(
            "Errors, last hour",
            "Requests under /v1 answered with 5xx. Refusals (429) and callers' errors (4xx) are not in it.",
            Query("evenmatch:error_ratio:1h"),
            unit="percentunit",
            mark=p.above(0.001),
        ),
        p.number(
            "Alerts", "Service alerts that fire now.", Query(f"count({firing}) or vector(0)"), mark=p.above(1)
        ),
        p.rows(
            "Alerts that fire",
            "What to do is in docs/runbooks.md.",
            Query(f"max by (alertname, instance, severity) ({firing})", "fires"),
            width=12,
        ),
        p.rows(
            "Model",
            "What is served, and by how many replicas. More than one row is a deployment under way, or one that got stuck.",
            Query(
                "count by (bundle, version, engine, device, precision) (evenmatch_model_info == 1)",
                "replicas",
            ),
            width=12,
        ),
    ]


def _requests() -> p.Row:
    return dashboard.Row("Requests"), [
        p.lines(
            "Requests a second",
            "Answered requests by route, health checks and scrapes left out.",
            Query(_rate("requests_total", "route", f"{{{USERS}}}"), "{{route}}"),
            unit="reqps",
        ),
        p.lines(
            "Answers other than 200",
            "By status. 429: the queue is full. 4xx: the caller's error. `other` counts callers who hung up.",
            Query(_rate("requests_total", "status", f'{{{USERS}, status!="200"}}'), "{{status}}"),
            unit="reqps",
        ),
        p.lines(
            "Error budget",
            "Share of 5xx over four windows. 1.44 % over an hour and 5 minutes, or 0.6 % over 6 hours and 30 minutes, is an "
            "alert (objective: 99.9 % of requests in 30 days).",
            *(Query(f"evenmatch:error_ratio:{window}", window) for window in ("5m", "30m", "1h", "6h")),
            unit="percentunit",
            mark=p.above(0.001),
        ),
        p.lines(
            "Time to answer /v1/score",
            "Quantiles, interpolated within the histogram's bins. A request may hold 1 to 200 candidates: the mix moves this.",
            *(
                Query(
                    _quantile(share, "request_seconds", matching='{route="/v1/score"}'), f"p{100 * share:g}"
                )
                for share in (0.5, 0.95, 0.99)
            ),
            unit="s",
        ),
        p.lines(
            "Time to answer, 95th percentile",
            "Of all requests, by route, health checks left out; empty while a route has no traffic.",
            Query(_quantile(0.95, "request_seconds", "route", f"{{{USERS}}}"), "{{route}}"),
            unit="s",
        ),
        p.lines(
            "Redaction",
            "Spans hidden by category, a second. A category that falls to nothing can be a changed form of resumes.",
            Query(_rate("redactions_total", "category"), "{{category}}"),
            Query(_rate("unredacted_total"), "resumes read without redaction"),
        ),
    ]


def _inference() -> p.Row:
    hits, misses = _rate("cache_hits_total"), _rate("cache_misses_total")
    return dashboard.Row("Inference"), [
        p.lines(
            "Queue",
            "Texts that wait, by replica.",
            Query("sum by (instance) (evenmatch_queue_depth)", "{{instance}}"),
            width=8,
        ),
        p.lines(
            "Queue in seconds",
            "What waits / what was computed a second in the last 5 minutes. Above the line is an alert.",
            Query("evenmatch:queue_seconds", "{{instance}}"),
            unit="s",
            width=8,
            mark=p.above(20),
        ),
        p.lines(
            "Texts a second",
            "Texts that were encoded, and those whose vector was known already.",
            Query(misses, "encoded"),
            Query(hits, "known"),
            width=8,
        ),
        p.lines("Tokens in a batch", "Of one engine call: quantiles.", *_quantiles("batch_tokens"), width=8),
        p.lines(
            "Time of a batch",
            "Of one engine call: quantiles.",
            *_quantiles("inference_seconds"),
            unit="s",
            width=8,
        ),
        p.lines(
            "Cache hits",
            "Share of texts whose vector was known. It depends on how often the same passages come.",
            Query(f"{hits} / ({hits} + {misses} > 0)", "hits"),
            unit="percentunit",
            width=8,
            top=1,
        ),
        p.lines(
            "Workers replaced",
            "Inference threads that died or hung, in the last hour.",
            Query("sum by (instance) (increase(evenmatch_worker_restarts_total[1h]))", "{{instance}}"),
        ),
        p.lines(
            "Processes replaced",
            "Serving processes that died or hung, in the last hour.",
            Query("sum by (instance) (increase(evenmatch_process_replacements_total[1h]))", "{{instance}}"),
        ),
    ]


def _storing() -> p.Row:
    return dashboard.Row("Decision store"), [
        p.lines(
            "Decisions a second",
            "Written to the database, and taken (one attribute's counters). Written lags by the queue.",
            Query(_rate("stored_decisions_total"), "stored"),
            Query(f"max({_rate('decisions_total', 'attribute')})", "decided"),
        ),
        p.lines(
            "Waiting to be written",
            "In memory, and in the spool on disk. A spool that stays filled is an alert.",
            Query("sum(evenmatch_store_queue_depth)", "in memory"),
            Query("sum(evenmatch_spooled_decisions)", "in the spool"),
            width=6,
        ),
        p.lines(
            "Failed writes",
            "In the last 15 minutes. Any is an alert.",
            Query("sum(increase(evenmatch_store_failures_total[15m]))", "failures"),
            width=6,
        ),
    ]


def _auditing() -> p.Row:
    return dashboard.Row("Shadow audits"), [
        p.lines(
            "Shadow audits a second",
            "Candidates audited in the background, and those chosen for it that were dropped, by reason. Dropping under load "
            "is meant to be; the figures then rest on quiet hours.",
            Query(_rate("shadow_audits_total"), "made"),
            Query(_rate("shadow_audits_dropped_total", "reason"), "dropped: {{reason}}"),
        ),
        p.lines(
            "Pairs a second",
            "Of a resume and its variant, by attribute: requested audits and shadow audits together.",
            Query(_rate("counterfactual_audits_total", "attribute"), "{{attribute}}"),
        ),
    ]
