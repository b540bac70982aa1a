"""A real Prometheus with the real rules, scraping the real server under traffic."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.docker.boards import FILES, PanelQuery, filled, queries, read
from tests.e2e.conftest import Serve, Server, start_server
from tests.e2e.texts import BACKEND_JOB, ENGINEER, NURSE
from tests.support.patience import PATIENCE
from tests.support.prometheus import Prometheus, running_prometheus

pytestmark = [pytest.mark.prometheus, pytest.mark.slow]

IMPACT = 'ALERTS{alertname="EvenmatchAdverseImpact", alertstate="firing", window="24h"}'
CLOSED = "127.0.0.1:1"
"""An instance that never answers."""


def people(group: str, race: str, text: str, count: int) -> list[dict[str, Any]]:
    groups = {"sex": group, "race_ethnicity": race}
    return [
        {"id": f"{group}-{race}-{i}", "resume": f"{text}\nEmployee number {i}.", "groups": groups}
        for i in range(count)
    ]


def score(client: httpx.Client, *candidates: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.post("/v1/score", json={"job": BACKEND_JOB, "candidates": list(candidates)})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def wait_until_scraped(prometheus: Prometheus) -> None:
    """Counters must be seen at 0, or the first decisions are in no increase."""
    prometheus.wait_for('evenmatch_decisions_total{attribute="sex", group="female"} == 0')


@pytest.mark.parametrize("planted", [True, False], ids=["disparity", "none"])
def test_a_planted_disparity_alerts_and_its_absence_does_not(
    planted: bool, server: Server, serve: Serve, tmp_path: Path
) -> None:
    fresh = serve()
    with (
        running_prometheus(tmp_path, fresh.url.removeprefix("http://")) as prometheus,
        httpx.Client(base_url=fresh.url, timeout=PATIENCE) as client,
    ):
        wait_until_scraped(prometheus)
        # The service treats all alike; resumes of one group do not fit the job.
        women = people("female", "white", NURSE if planted else ENGINEER, 40)
        results = score(client, *women, *people("male", "white", ENGINEER, 40))
        selected = [sum(r["decision"] == "selected" for r in part) for part in (results[:40], results[40:])]
        assert selected == ([0, 40] if planted else [40, 40])
        prometheus.wait_for('evenmatch:sample_size:24h{group="male"} == 40')
        if planted:
            (alert,) = prometheus.wait_for(f'{IMPACT[:-1]}, attribute="sex"}}')
            assert alert["metric"]["group"] == "female"
        else:
            # Longer than the alert needs above: the rules' results and twice the shortened `for`.
            prometheus.wait_for('evenmatch:impact_ratio:24h{group="female"} == 1')
            prometheus.wait_for(
                'min_over_time(evenmatch:impact_ratio:24h{group="female"}[6s:1s] offset 1s) == 1'
            )
            prometheus.wait_for('count_over_time(evenmatch:impact_ratio:24h{group="female"}[1m]) >= 6')
            assert prometheus.query(IMPACT) == []
            assert prometheus.query('ALERTS{alertname="EvenmatchAdverseImpact"}') == []


def week_of_scores(folder: Path) -> None:
    """What the rules would have recorded at the last eight midnights: score drift needs a week."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = ["# TYPE evenmatch:scores:increase24h gauge"]
    for edge, count in (("0.5", 40), ("1.0", 100), ("+Inf", 100)):
        for day in reversed(range(9)):
            at = (today - timedelta(days=day)).timestamp()
            lines.append(f'evenmatch:scores:increase24h{{le="{edge}"}} {count} {at}')
    (folder / "history.txt").write_text("\n".join([*lines, "# EOF", ""]), "utf-8")
    blocks = ["promtool", "tsdb", "create-blocks-from", "openmetrics"]
    subprocess.run(
        [*blocks, str(folder / "history.txt"), str(folder / "data")], check=True, capture_output=True
    )


def traffic(client: httpx.Client) -> None:
    """Every kind of request that a panel shows."""
    results = score(
        client,
        *people("female", "white", NURSE, 40),
        *people("female", "asian", ENGINEER, 40),
        *people("male", "asian", ENGINEER, 40),
    )
    score(client, {"id": "c", "resume": ENGINEER})
    audit = {"job": BACKEND_JOB, "resumes": [{"id": "c", "resume": ENGINEER}], "names_per_group": 2}
    assert client.post("/v1/audit/counterfactual", json=audit).status_code == 200
    assert client.post("/v1/score", json={}).status_code == 422
    assert client.get("/health/ready").status_code == 200
    outcomes = [
        {
            "decision_id": result["decision_id"],
            "outcome": "positive" if i % 3 else "negative",
            "kind": "label",
        }
        for i, result in enumerate(results)
    ]
    told = client.post("/v1/outcomes/bulk", json={"outcomes": outcomes})
    assert told.status_code == 200, told.text


@pytest.fixture(scope="module")
def watched(server: Server, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("watched")
    week_of_scores(folder)
    fresh = start_server(
        data_dir, EVENMATCH_SHADOW_AUDIT_SHARE="1", EVENMATCH_DURABLE="true", EVENMATCH_FAIRNESS_SECONDS="1"
    )
    try:
        with (
            running_prometheus(folder, fresh.url.removeprefix("http://"), CLOSED) as prometheus,
            httpx.Client(base_url=fresh.url, timeout=PATIENCE) as client,
        ):
            wait_until_scraped(prometheus)
            traffic(client)
            prometheus.wait_for(f'{IMPACT[:-1]}, attribute="sex"}}')
            prometheus.wait_for('ALERTS{alertname="EvenmatchDown", alertstate="firing"}')
            prometheus.wait_for('evenmatch:p_value{question="selection_rate", window="7d"}')
            yield prometheus
    finally:
        fresh.terminate()


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.name)
def test_every_panel_shows_data(query: PanelQuery, watched: Prometheus) -> None:
    assert query.shows_data(watched)


def test_every_variable_has_values(watched: Prometheus) -> None:
    for path in FILES:
        for variable in read(path)["templating"].get("list", []):
            if variable["type"] != "query":
                continue
            (asked,) = filled(variable["query"])
            match, _, label = asked.removeprefix("label_values(").removesuffix(")").rpartition(", ")
            found = httpx.get(f"{watched.url}/api/v1/label/{label}/values", params={"match[]": match})
            assert found.json()["data"], variable["name"]
