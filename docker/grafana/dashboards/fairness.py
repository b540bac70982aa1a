"""The dashboard of decisions by group: for whoever answers for hiring."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from dashboards import panels as p
from dashboards.drift import counterfactuals, outcomes
from dashboards.panels import Query
from dashboards.variables import CHOSEN, HERE, KNOWN, ONE, variables

ALERTS = 'ALERTS{team="fairness", alertstate="firing"}'


def fairness() -> dashboard.Dashboard:
    """Rates, ratios, tests and drift by group, with the number of people behind each."""
    rows = [_now(), _selection(), _intersections(), _scores(), outcomes(), counterfactuals(), _one_group()]
    return p.board(
        "evenmatch-fairness",
        "Evenmatch: fairness",
        "Decisions by self-reported group. Rates differ for many reasons; nothing here is a verdict.",
        rows,
        *variables(),
    )


def _now() -> p.Row:
    return dashboard.Row("Now"), [
        p.number(
            "Decisions",
            "Decisions in the window, whoever they were about.",
            Query(f"sum(evenmatch:sample_size:$window{HERE})"),
        ),
        p.number(
            "Group unknown",
            "Share of the decisions about people who gave no group. Nothing below says anything about them.",
            Query(
                'sum(evenmatch:sample_size:$window{attribute="$attribute", group="unknown"}) '
                f"/ (sum(evenmatch:sample_size:$window{HERE}) > 0)"
            ),
            unit="percentunit",
        ),
        p.number(
            "Groups compared",
            "Groups with 30 people or more in the window. With fewer than two there is nothing to compare, "
            "and no alert can fire.",
            Query(f"count(evenmatch:sample_size:$window{KNOWN} >= 30) or vector(0)"),
            mark=p.line(2),
        ),
        p.number(
            "Alerts",
            "Fairness alerts that fire now. None is no proof that there is nothing to find.",
            Query(f"count({ALERTS}) or vector(0)"),
            mark=p.above(1),
        ),
        p.rows(
            "Alerts that fire",
            "What to do is in docs/runbooks.md. An alert says that figures differ beyond chance, not why.",
            Query(f"max by (alertname, attribute, group, rate, window, severity) ({ALERTS})", "fires"),
        ),
    ]


def _selection() -> p.Row:
    return dashboard.Row("Selection by $attribute, last $window"), [
        p.rows(
            "Groups",
            "Rate = selected / people, with Wilson's 95 % interval. Ratio = rate / the highest rate among groups with "
            "30 people or more. p: two-proportion z test against that group, times the number of pairs of groups "
            "(Bonferroni); empty below 30 people or 5 expected in a cell. It cannot say why rates differ.",
            *(
                Query(f"sum by (group) ({expression})", name)
                for name, expression in (
                    ("people", f"evenmatch:sample_size:$window{HERE}"),
                    ("selected", f'evenmatch:decisions:increase$window{{decision="selected", {HERE[1:]}'),
                    ("rate", f"evenmatch:selection_rate:$window{HERE}"),
                    ("low", f"evenmatch:selection_rate_low:$window{HERE}"),
                    ("high", f"evenmatch:selection_rate_high:$window{HERE}"),
                    ("impact ratio", f"evenmatch:impact_ratio:$window{HERE}"),
                    ("p", f'evenmatch:p_value{{question="selection_rate", window="$window", {HERE[1:]}'),
                )
            ),
            join="group",
            units={
                "rate": "percentunit",
                "low": "percentunit",
                "high": "percentunit",
                "impact ratio": "short",
                "p": "short",
            },
        ),
        p.lines(
            "Selection rate",
            "Selected / people over the window before each moment. Intervals are in the table and in the rows of single "
            "groups: a group of few people jumps without any cause.",
            Query(f"evenmatch:selection_rate:$window{CHOSEN}", "{{group}}"),
            unit="percentunit",
            top=1,
        ),
        p.lines(
            "Impact ratio",
            "Rate / the highest rate among groups with 30 people or more; above 1 for a smaller group with a higher rate. "
            "The line is four fifths (29 CFR 1607.4(D)), a rule of thumb: below it and significant is an alert, below it "
            "alone is common by chance.",
            Query(f"evenmatch:impact_ratio:$window{CHOSEN}", "{{group}}"),
            mark=p.line(0.8),
        ),
        p.lines(
            "People",
            "Decisions in the window by group. Below the line of 30 nothing is concluded about a group.",
            Query(f"evenmatch:sample_size:$window{CHOSEN}", "{{group}}"),
            mark=p.line(30),
        ),
        p.lines(
            "Impact ratio of 30 days, from the decision store",
            "As the service counts it from its own database, over longer than Prometheus keeps. It is a gauge: it shows, "
            "and no alert rests on it.",
            Query(
                f'max by (group) (evenmatch_fairness_impact_ratio{{window="30d", {CHOSEN[1:]})', "{{group}}"
            ),
            mark=p.line(0.8),
        ),
    ]


def _crossed(metric: str) -> str:
    crossed = f'{metric}{{attribute="$intersection", group=~".+:.+"}}'
    first = f'label_replace({crossed}, "first", "$1", "group", "(.+):.+")'
    return f'label_replace({first}, "second", "$1", "group", ".+:(.+)")'


def _intersections() -> p.Row:
    return dashboard.Row("Intersections: $intersection, last $window"), [
        p.matrix(
            "Impact ratio",
            "Rate / the highest rate among intersections with 30 people or more. Red is below four fifths, which in small "
            "groups is common by chance: look at the number of people beside it. Empty: nobody, or not computable.",
            Query(_crossed("evenmatch:impact_ratio:$window")),
            row="second",
            column="first",
            unit="short",
            mark=p.line(0.8),
        ),
        p.matrix(
            "People",
            "Decisions in the window. Red is below 30: nothing is concluded there.",
            Query(_crossed("evenmatch:sample_size:$window")),
            row="second",
            column="first",
            unit="none",
            mark=p.line(30),
        ),
    ]


def _scores() -> p.Row:
    increase = f"sum by (group, le) (increase(evenmatch_match_score_bucket{CHOSEN}[$window]))"
    return dashboard.Row("Scores"), [
        p.bars(
            "Scores up to each value",
            "Share of a group's calibrated probabilities up to each tenth. A group with higher bars on the left scores lower. "
            "It cannot say whether the people match less or the model reads them worse.",
            Query(
                f'sum by (group, le) (increase(evenmatch_match_score_bucket{{le!="+Inf", {CHOSEN[1:]}[$window])) '
                f"/ on (group) group_left () (sum by (group) (increase(evenmatch_match_score_count{CHOSEN}[$window])) > 0)"
            ),
            row="le",
            column="group",
            unit="percentunit",
        ),
        p.lines(
            "Median score",
            "Interpolated within tenths, so differences of less than that are not real.",
            Query(f"histogram_quantile(0.5, {increase})", "{{group}}"),
            unit="percentunit",
            top=1,
        ),
        p.lines(
            "Score drift",
            "Largest difference between the shares of scores up to each tenth, last 24 hours against the week before "
            "(Kolmogorov-Smirnov), and what equal distributions exceed once in a thousand times. Needs two days of data. "
            "Other jobs or applicants move it as a changed model does.",
            Query("evenmatch:score_drift:24h", "distance"),
            Query("evenmatch:score_drift_bound:24h", "by chance (1 in 1,000)"),
            mark=p.above(0.1),
        ),
        p.lines(
            "Scores against the training report",
            "Share of scores up to each tenth, last 24 hours minus the bundle's own test data. Your jobs are not the training "
            "report's: a difference is a reason to calibrate anew, not an error by itself.",
            Query(
                'evenmatch:scores:increase24h / on () group_left () (evenmatch:scores:increase24h{le="+Inf"} > 0) '
                '- on (le) max by (le) (label_join(evenmatch_baseline_match_score_share, "le", "", "upper"))',
                "up to {{le}}",
            ),
        ).min(-1),
    ]


def _one_group() -> p.Row:
    rate = "evenmatch:selection_rate%s:$window" + ONE
    return dashboard.Row("Group $group").repeat("group"), [
        p.lines(
            "Selection rate of $group with interval",
            "Wilson's 95 % interval of the rate over the window before each moment. Where intervals of two groups overlap, "
            "they may still differ: the test is in the table.",
            Query(rate % "", "rate"),
            Query(rate % "_low", "low"),
            Query(rate % "_high", "high"),
            unit="percentunit",
            top=1,
        ),
        p.density(
            "Scores of $group",
            "How many calibrated probabilities fell into each tenth.",
            Query(f"sum by (le) (increase(evenmatch_match_score_bucket{ONE}[$__rate_interval]))"),
        ),
    ]
