"""Alerts of the service itself: the real rules in promtool."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docker.promtool import Series, answers, fires, once, series

pytestmark = [pytest.mark.prometheus, pytest.mark.slow]


def requests(status: str, values: str, route: str = "/v1/score") -> Series:
    return series("evenmatch_requests_total", values, instance="a", route=route, status=status)


def test_errors_that_burn_the_budget_fast_alert_and_resolve(tmp_path: Path) -> None:
    given = requests("200", "0+98x200") | requests("500", "0+2x60 120+0x140")
    firing = 'count(ALERTS{alertname="EvenmatchErrorBudgetBurnsFast", alertstate="firing"})'
    answers(tmp_path, given, [("30m", firing, [({}, 1)]), ("80m", firing, [])])


def test_errors_that_burn_the_budget_slowly_alert(tmp_path: Path) -> None:
    given = requests("200", "0+99x400") | requests("503", "0+1x400")
    fires(tmp_path, given, "EvenmatchErrorBudgetBurnsSlowly", "60m", {}, by="")
    fires(tmp_path, given, "EvenmatchErrorBudgetBurnsFast", "60m", by="")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (requests("200", "0+10x200") | requests("500", "0 0 4+0x200"), "four failures are too few to judge"),
        (requests("200", "0+10000x200") | requests("500", "0+5x200"), "within the budget"),
        (requests("200", "0+10x200") | requests("422", "0+10x200"), "the caller's errors"),
        (requests("503", "0+10x200", "/health/ready") | requests("200", "0+10x200"), "no request of a user"),
        (requests("200", "0x200") | requests("500", "0x200"), "no traffic"),
    ],
)
def test_no_budget_alert(given: Series, why: str, tmp_path: Path) -> None:
    query = 'ALERTS{alertname=~"EvenmatchErrorBudget.*"}'
    answers(tmp_path, given, [("60m", query, [])])


def test_a_replica_that_does_not_answer_alerts(tmp_path: Path) -> None:
    given = series("up", "1 1 1 0x20", job="evenmatch", instance="a")
    given |= series("up", "1x30", job="evenmatch", instance="b")
    fires(tmp_path, given, "EvenmatchDown", "10m", {"instance": "a"}, by="instance")
    fires(tmp_path, given, "EvenmatchGone", "10m", by="")


def test_a_service_that_vanished_alerts(tmp_path: Path) -> None:
    fires(tmp_path, series("up", "1x30", job="prometheus", instance="p"), "EvenmatchGone", "10m", {}, by="")


def test_a_replica_that_is_not_ready_alerts(tmp_path: Path) -> None:
    given = requests("503", "0+2x30", "/health/ready")
    fires(tmp_path, given, "EvenmatchNotReady", "10m", {"instance": "a"}, by="instance")
    # One slow probe is no alert.
    given = requests("503", "0 0 1x30", "/health/ready")
    fires(tmp_path, given, "EvenmatchNotReady", "10m", by="instance")


def test_a_replica_whose_readiness_fails_otherwise_alerts_too(tmp_path: Path) -> None:
    # What redaction needs could not be read: 500.
    given = requests("500", "0+2x30", "/health/ready")
    fires(tmp_path, given, "EvenmatchNotReady", "10m", {"instance": "a"}, by="instance")


def scoring_seconds(total: str, **up_to: str) -> Series:
    """Counts of requests by duration; `up_to` by edge, as `le10`."""
    given: Series = {}
    at = {"route": "/v1/score", "instance": "a"}
    for name, values in up_to.items():
        edge = f"{int(name.removeprefix('le')):.1f}"
        given |= series("evenmatch_request_seconds_bucket", values, le=edge, **at)
    given |= series("evenmatch_request_seconds_bucket", total, le="+Inf", **at)
    return given | series("evenmatch_request_seconds_count", total, **at)


def test_slow_scoring_alerts(tmp_path: Path) -> None:
    given = scoring_seconds("0+100x60", le1="0+90x60", le10="0+92x60", le30="0+100x60")
    fires(tmp_path, given, "EvenmatchSlow", "30m", {}, by="")


def test_a_few_slow_requests_of_a_quiet_night_do_not_alert(tmp_path: Path) -> None:
    # One request of many candidates every 5 minutes, and nothing else.
    total = " ".join(str(i // 5) for i in range(60))
    given = scoring_seconds(total, le1="0x60", le10="0x60", le30=total)
    fires(tmp_path, given, "EvenmatchSlow", "40m", by="")


def test_a_long_queue_alerts_by_how_long_it_takes(tmp_path: Path) -> None:
    # 60 texts a minute are computed.
    computed = series("evenmatch_cache_misses_total", "0+60x60", instance="a")
    long = series("evenmatch_queue_depth", "30x60", instance="a")
    fires(tmp_path, computed | long, "EvenmatchQueueLong", "30m", {"instance": "a"}, by="instance")
    short = series("evenmatch_queue_depth", "10x60", instance="a")
    fires(tmp_path, computed | short, "EvenmatchQueueLong", "30m", by="instance")


def test_refused_requests_alert(tmp_path: Path) -> None:
    given = requests("200", "0+95x60") | requests("429", "0+5x60")
    fires(tmp_path, given, "EvenmatchRefusing", "30m", {}, by="")


def test_a_replaced_worker_alerts_for_an_hour(tmp_path: Path) -> None:
    given = series("evenmatch_worker_restarts_total", "0x10 1x200", instance="a")
    firing = 'count(ALERTS{alertname="EvenmatchWorkerRestarts", alertstate="firing"})'
    answers(tmp_path, given, [("5m", firing, []), ("30m", firing, [({}, 1)]), ("90m", firing, [])])


def test_decisions_that_cannot_be_stored_alert(tmp_path: Path) -> None:
    given = series("evenmatch_store_failures_total", "0x10 1x60", instance="a")
    given |= series("evenmatch_spooled_decisions", "0x10 7x60", instance="a")
    fires(tmp_path, given, "EvenmatchDecisionsNotStored", "5m", by="")
    fires(tmp_path, given, "EvenmatchDecisionsNotStored", "15m", {}, by="")
    fires(tmp_path, given, "EvenmatchDecisionsSpooled", "15m", by="")
    fires(tmp_path, given, "EvenmatchDecisionsSpooled", "40m", {}, by="")


def test_a_log_that_was_deleted_under_a_replica_alerts_at_once(tmp_path: Path) -> None:
    given = series("evenmatch_store_lost", "0x10 1x20", instance="a")
    given |= series("evenmatch_store_lost", "0x30", instance="b")
    fires(tmp_path, given, "EvenmatchStoreLost", "4m", by="instance")
    fires(tmp_path, given, "EvenmatchStoreLost", "12m", {"instance": "a"}, by="instance")


def test_dropped_shadow_audits_alert(tmp_path: Path) -> None:
    given = once("evenmatch_shadow_audits_dropped_total", 200, instance="a", reason="busy")
    fires(tmp_path, given, "EvenmatchShadowAuditsDropped", "90m", {}, by="")
    given |= once("evenmatch_shadow_audits_total", 300, instance="a")
    fires(tmp_path, given, "EvenmatchShadowAuditsDropped", "90m", by="")
    given = once("evenmatch_shadow_audits_dropped_total", 20, instance="a", reason="busy")
    fires(tmp_path, given, "EvenmatchShadowAuditsDropped", "90m", by="")


def test_a_missing_process_alerts(tmp_path: Path) -> None:
    given = series("evenmatch_processes", "2x5 1x30", instance="a")
    given |= series("evenmatch_processes_wanted", "2x40", instance="a")
    fires(tmp_path, given, "EvenmatchProcessesMissing", "5m", by="instance")
    fires(tmp_path, given, "EvenmatchProcessesMissing", "20m", {"instance": "a"}, by="instance")
