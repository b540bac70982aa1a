"""When EvenmatchAdverseImpact fires, and when it does not: the real rules in promtool."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docker.promtool import Series, answers, decisions, fires, once, series

pytestmark = pytest.mark.prometheus

ALERT = "EvenmatchAdverseImpact"

# How often each group's resume was ranked first of 8 equal ones, in 1,000 rankings a job: Bloomberg 2024,
# github.com/BloombergGraphics/2024-openai-gpt-hiring-racial-discrimination (performance_ranking.csv).
# A, B, H, W: Asian, Black, Hispanic, White; M, W: men, women.
GPT_4 = {
    "hr": {"H_W": 147, "W_M": 143, "A_W": 129, "W_W": 122, "A_M": 122, "B_W": 120, "H_M": 114, "B_M": 103},
    "software": {
        "H_W": 140,
        "W_W": 138,
        "A_M": 136,
        "H_M": 130,
        "B_M": 121,
        "B_W": 117,
        "W_M": 111,
        "A_W": 107,
    },
    "retail": {
        "H_W": 137,
        "W_W": 133,
        "A_W": 133,
        "B_W": 125,
        "A_M": 124,
        "B_M": 120,
        "W_M": 115,
        "H_M": 113,
    },
    "finance": {
        "A_M": 139,
        "A_W": 132,
        "W_W": 132,
        "H_M": 132,
        "W_M": 130,
        "H_W": 120,
        "B_W": 113,
        "B_M": 102,
    },
}
GPT_35 = {
    "hr": {"H_W": 181, "A_W": 148, "W_W": 138, "B_W": 130, "B_M": 106, "H_M": 103, "A_M": 98, "W_M": 96},
    "finance": {
        "A_W": 172,
        "A_M": 146,
        "W_W": 132,
        "H_W": 129,
        "H_M": 124,
        "W_M": 121,
        "B_W": 100,
        "B_M": 76,
    },
}


def both(first: tuple[int, int], second: tuple[int, int]) -> Series:
    """Selected and number of women and of men."""
    return decisions("female", *first) | decisions("male", *second)


def bloomberg(job: dict[str, int]) -> Series:
    given: Series = {}
    for group, first in job.items():
        given |= decisions(group, first, 1000, attribute="cell")
    return given


@pytest.mark.parametrize(
    "job", [next(iter(GPT_4)), *(pytest.param(job, marks=pytest.mark.slow) for job in list(GPT_4)[1:])]
)
def test_gpt_4s_rankings_do_not_alert_though_five_cells_are_below_four_fifths(
    job: str, tmp_path: Path
) -> None:
    below = {"hr": 2, "software": 2, "finance": 1}.get(job)
    ratios = "count(evenmatch:impact_ratio:24h < 0.8 - 1e-12)"
    firing = f'count(ALERTS{{alertname="{ALERT}"}})'
    answers(
        tmp_path,
        bloomberg(GPT_4[job]),
        [("140m", ratios, [({}, below)] if below else []), ("140m", firing, [])],
        every="4m",
    )


def test_gpt_35s_rankings_alert_where_chance_is_an_unlikely_cause(tmp_path: Path) -> None:
    finance = [{"group": group} for group in ("B_M", "B_W")]
    fires(tmp_path, bloomberg(GPT_35["finance"]), ALERT, "140m", *finance, every="4m")
    hr = [{"group": group} for group in ("A_M", "B_M", "H_M", "W_M")]
    fires(tmp_path, bloomberg(GPT_35["hr"]), ALERT, "140m", *hr, every="4m")


def test_a_violation_alerts_in_both_windows(tmp_path: Path) -> None:
    query = f'sum by (attribute, group, window, alertstate, severity) (ALERTS{{alertname="{ALERT}"}})'
    one = {"attribute": "sex", "group": "female", "severity": "warning"}
    given = both((40, 100), (70, 100))
    day, week = ({**one, "window": window} for window in ("24h", "7d"))
    answers(
        tmp_path,
        given,
        [
            ("10m", query, [({**day, "alertstate": "pending"}, 1), ({**week, "alertstate": "pending"}, 1)]),
            ("140m", query, [({**day, "alertstate": "firing"}, 1), ({**week, "alertstate": "firing"}, 1)]),
        ],
        every="4m",
    )


def test_the_alert_resolves_when_rates_come_together(tmp_path: Path) -> None:
    # From 144 minutes on, women are selected as often as men.
    counters = {
        ("female", "selected"): "0 40+0x35 440+400x30",
        ("female", "not_selected"): "0 60+0x35 260+200x30",
        ("male", "selected"): "0 70+0x35 470+400x30",
        ("male", "not_selected"): "0 30+0x35 230+200x30",
    }
    given: Series = {}
    for (group, decision), values in counters.items():
        labels = {"attribute": "sex", "group": group, "decision": decision}
        given |= series("evenmatch_decisions_total", values, **labels)
    firing = f'sgn(count by (group) (ALERTS{{alertname="{ALERT}", alertstate="firing"}}))'
    expected = [("140m", firing, [({"group": "female"}, 1)]), ("220m", firing, [])]
    answers(tmp_path, given, expected, every="4m")


@pytest.mark.parametrize(
    ("women", "men", "why"),
    [
        ((64, 100), (80, 100), "four fifths exactly"),
        ((640, 1000), (800, 1000), "four fifths exactly, and significant"),
        ((48, 75), (56, 70), "four fifths exactly, in numbers that floats round"),
        ((790, 1000), (960, 1000), "significant, but above four fifths"),
        ((5, 29), (80, 100), "29 people are too few"),
        ((80, 100), (5, 29), "29 people are too few, though the ratio is low"),
        ((3, 30), (6, 30), "chance does that"),
        ((40, 100), (60, 100), "p = 0.005 is seen too often by who looks every minute"),
        ((0, 100), (0, 100), "nobody is selected: no ratio"),
        ((100, 100), (100, 100), "everybody is selected"),
        ((0, 0), (70, 100), "one group only"),
        ((0, 100), (0, 29), "nobody is selected, and few"),
    ],
)
def test_no_alert(women: tuple[int, int], men: tuple[int, int], why: str, tmp_path: Path) -> None:
    fires(tmp_path, both(women, men), ALERT, "140m", every="4m")


@pytest.mark.parametrize(
    ("women", "men"),
    [((639, 1000), (800, 1000)), ((4, 30), (80, 100)), ((0, 100), (20, 100)), ((1, 40), (20, 40))],
)
def test_an_alert(women: tuple[int, int], men: tuple[int, int], tmp_path: Path) -> None:
    fires(tmp_path, both(women, men), ALERT, "140m", {"group": "female"}, every="4m")


@pytest.mark.slow
def test_people_of_unknown_group_are_in_no_comparison(tmp_path: Path) -> None:
    given = decisions("unknown", 90, 100) | decisions("female", 50, 100) | decisions("male", 50, 100)
    fires(tmp_path, given, ALERT, "140m", every="4m")
    ratios = [({"attribute": "sex", "group": group}, 1) for group in ("female", "male")]
    answers(tmp_path, given, [("20m", "sum by (attribute, group) (evenmatch:impact_ratio:24h)", ratios)])


@pytest.mark.slow
def test_a_lucky_group_of_three_is_no_reference(tmp_path: Path) -> None:
    given = decisions("nonbinary", 3, 3) | both((50, 100), (50, 100))
    fires(tmp_path, given, ALERT, "140m", every="4m")
    answers(
        tmp_path,
        given,
        [
            (
                "20m",
                'sum by (group) (evenmatch:impact_ratio:24h{group="nonbinary"})',
                [({"group": "nonbinary"}, 2)],
            )
        ],
    )


def test_no_service_no_figures(tmp_path: Path) -> None:
    answers(
        tmp_path, {}, [("20m", '{__name__=~"evenmatch:(sample_size|selection_rate|impact_ratio).*"}', [])]
    )


def test_a_service_without_decisions_has_sample_sizes_of_0_and_no_rates(tmp_path: Path) -> None:
    given = both((0, 0), (0, 0))
    sizes = [({"group": group}, 0) for group in ("female", "male")]
    answers(
        tmp_path,
        given,
        [
            ("20m", "sum by (group) (evenmatch:sample_size:24h)", sizes),
            ("20m", '{__name__=~"evenmatch:(selection_rate|impact_ratio|reference|z|p_value).*"}', []),
        ],
    )


@pytest.mark.slow
def test_replicas_sum_up(tmp_path: Path) -> None:
    # Each replica alone has too few people for any conclusion.
    given: Series = {}
    for replica in "abcd":
        given |= decisions("female", 5, 25, instance=replica) | decisions("male", 20, 25, instance=replica)
    fires(tmp_path, given, ALERT, "140m", {"group": "female"}, every="4m")
    selected = 'evenmatch:decisions:increase24h{decision="selected"}'
    expected = [({"group": "female"}, 20), ({"group": "male"}, 80)]
    answers(tmp_path, given, [("20m", f"sum by (group) ({selected})", expected)])


@pytest.mark.slow
def test_a_restart_loses_no_decision(tmp_path: Path) -> None:
    labels = {"attribute": "sex", "group": "female", "decision": "selected"}
    restarted = series("evenmatch_decisions_total", "0 37+0x30 0 12+0x60", instance="a", **labels)
    other = once("evenmatch_decisions_total", 100, instance="b", **labels)
    counted = [({"group": "female"}, 149)]
    query = "sum by (group) (evenmatch:decisions:increase24h)"
    answers(tmp_path, restarted | other, [("100m", query, counted)])


@pytest.mark.slow
def test_counts_are_whole_though_the_series_are_young(tmp_path: Path) -> None:
    """`increase` scales 30 decisions of one minute's series up to more."""
    given = {
        "evenmatch_decisions_total" + '{attribute="sex",group="female",decision="selected"}': "0 11 19 30+0x9"
    }
    query = "sum(evenmatch:decisions:increase24h)"
    scaled = "sum(increase(evenmatch_decisions_total[24h])) > 35"
    answers(
        tmp_path, given, [("45s", query, [({}, 30)]), ("55s", f"count({scaled})", [({}, 1)])], every="15s"
    )


@pytest.mark.slow
def test_two_people_beyond_the_window_are_forgotten(tmp_path: Path) -> None:
    given = both((40, 100), (70, 100))
    sizes = "sum by (group) (evenmatch:sample_size:1h)"
    answers(
        tmp_path,
        given,
        [
            ("59m", sizes, [({"group": "female"}, 100), ({"group": "male"}, 100)]),
            ("70m", sizes, [({"group": "female"}, 0), ({"group": "male"}, 0)]),
        ],
    )
