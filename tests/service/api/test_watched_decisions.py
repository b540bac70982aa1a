"""What is decided is stored, counted, joined with outcomes, shown, and can be erased."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from service.settings import Settings
from service.store.right_to_erasure import erase_person
from service.store.tables import outcomes
from tests.support.api import ENGINEER, NURSE, Api, Start
from tests.support.patience import wait_until

MEN, WOMEN = 12, 8


@pytest.fixture
def api(start: Start) -> Api:
    """Durable, so that what was answered is stored."""
    return start(store={"durable": True}, fairness={"refresh_seconds": 1})


def decide(api: Api) -> dict[str, dict[str, str]]:
    """Decisions by id about men, all engineers, and women, all nurses; the job is an engineer's."""
    ids = {}
    for sex, text, count in (("male", ENGINEER, MEN), ("female", NURSE, WOMEN)):
        answer = api.score(*[text] * count, groups={"sex": sex})
        assert answer.status_code == 200
        ids[sex] = {one["decision_id"]: one["decision"] for one in answer.json()["results"]}
    return ids


def ask(api: Api) -> dict[str, Any]:
    answer = api.get("/v1/fairness", params={"attribute": "sex", "intersections": "false"})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def by_group(body: dict[str, Any]) -> dict[str, Any]:
    return {group["group"]: group for group in body["attributes"][0]["groups"]}


def test_scores_become_live_fairness(api: Api) -> None:
    decisions = decide(api)
    body = ask(api)
    assert (body["people"], body["scores"]["scored"]) == (MEN + WOMEN, MEN + WOMEN)
    for sex, of_sex in decisions.items():
        share = by_group(body)[sex]["selection"]
        assert (share["n"], share["count"]) == (len(of_sex), sum(d == "selected" for d in of_sex.values()))
    report = api.get("/v1/fairness/report", params={"format": "json"}).json()
    assert report["data"]["people"] == MEN + WOMEN
    assert "c-0" not in str(body) + str(report)


def test_the_gauges_follow(api: Api) -> None:
    decide(api)
    name, labels = "evenmatch_fairness_sample_size", {"attribute": "sex", "window": "24h"}
    # A refresh may come between the two requests.
    wait_until(
        lambda: (
            name + "{" in api.get("/metrics").text
            and [api.series(name, **labels, group=sex) for sex in ("male", "female")] == [MEN, WOMEN]
        )
    )


def test_outcomes_open_true_positive_rates_and_go_with_an_erased_person(api: Api) -> None:
    decisions = decide(api)
    ids = [one for of_sex in decisions.values() for one in of_sex]
    given = [{"decision_id": one, "outcome": "positive", "kind": "label"} for one in ids]
    answer = api.post("/v1/outcomes/bulk", json={"outcomes": given})
    assert (answer.status_code, answer.json()["recorded"]) == (200, MEN + WOMEN)
    for sex, of_sex in decisions.items():
        rate = by_group(ask(api))[sex]["outcomes"]["true_positive_rate"]
        assert rate["n"] == len(of_sex)
        assert rate["value"] == sum(d == "selected" for d in of_sex.values()) / len(of_sex)
    settings: Settings = api.app.state.settings  # type: ignore[attr-defined]
    log = settings.store.open_log()
    assert erase_person(log, "c-0") == 2  # one man and one woman
    log.close()
    wrong = [{**given[i], "outcome": "negative"} for i in (0, 1)]
    refused = api.post("/v1/outcomes/bulk", json={"outcomes": wrong}).json()["results"]
    assert [result["code"] for result in refused] == ["unknown_decision", "outcome_conflict"]
    with api.database.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(outcomes)) == MEN + WOMEN - 2
