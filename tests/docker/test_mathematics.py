"""The rules' figures beside scipy's and beside the service's own, on random counts in a real Prometheus."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from service.core.fairness.counts import Share
from service.core.fairness.rates import impact_ratio, is_below_four_fifths, wilson_interval
from tests.support.prometheus import Exporter, Prometheus, line, running_prometheus

pytestmark = [pytest.mark.prometheus, pytest.mark.slow]

TABLES = 150
Table = dict[str, Share]


def random_tables() -> dict[str, Table]:
    """2 to 7 groups of 1 to 2,000 people, and unknown people."""
    rng = np.random.default_rng(5)
    tables: dict[str, Table] = {}
    for i in range(TABLES):
        sizes = np.exp(rng.uniform(0, math.log(2000), size=rng.integers(2, 8))).astype(int)
        rate = rng.uniform(0.0, 1.0)
        shares = {
            f"g{j}": Share(int(rng.binomial(n, rate * rng.uniform(0.6, 1))), int(n))
            for j, n in enumerate(sizes)
        }
        tables[f"table_{i}"] = {**shares, "unknown": Share(90, 100)}
    tables["nobody"] = {"g0": Share(0, 50), "g1": Share(0, 60), "unknown": Share(9, 10)}
    tables["four_fifths"] = {"g0": Share(64, 100), "g1": Share(80, 100)}
    return tables


def exposed(tables: dict[str, Table], *, counted: bool) -> str:
    return "".join(
        line(
            "evenmatch_decisions_total",
            count if counted else 0,
            attribute=table,
            group=group,
            decision=decision,
        )
        for table, shares in tables.items()
        for group, share in shares.items()
        for decision, count in (("selected", share.count), ("not_selected", share.n - share.count))
    )


@dataclass(frozen=True)
class Compared:
    """The groups that may be concluded about, and the one with the highest rate."""

    groups: dict[str, Share]
    reference: Share


def compared(table: Table) -> Compared | None:
    known = {group: share for group, share in table.items() if group != "unknown"}
    large = {group: share for group, share in known.items() if share.n >= 30}
    if not large or len(known) < 2:
        return None
    reference = max(large.values(), key=lambda share: (share.exact, share.n))
    return Compared(large, reference) if reference.count else None


def expected_p(share: Share, reference: Share, pairs: int) -> float | None:
    """Scipy's chi-square test without correction is the pooled two-proportion z test."""
    table = [[s.count, s.n - s.count] for s in (share, reference)]
    selected, total = share.count + reference.count, share.n + reference.n
    if min(share.n, reference.n) * min(selected, total - selected) < 5 * total:
        return None
    return min(1.0, pairs * float(stats.chi2_contingency(table, correction=False).pvalue))


@pytest.fixture(scope="module")
def tables() -> dict[str, Table]:
    return random_tables()


@pytest.fixture(scope="module")
def prometheus(tables: dict[str, Table], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    exporter = Exporter()
    exporter.text = exposed(tables, counted=False)
    with (
        exporter.serving() as target,
        running_prometheus(tmp_path_factory.mktemp("rules"), target) as running,
    ):
        exporter.wait_for_scrapes(2)
        exporter.text = exposed(tables, counted=True)
        exporter.wait_for_scrapes(2)
        # The last rules' results of what is served now.
        running.wait_for('evenmatch:p_value{attribute="four_fifths", window="7d"}')
        yield running


def test_counts_are_exact(prometheus: Prometheus, tables: dict[str, Table]) -> None:
    found = prometheus.values("evenmatch:decisions:increase24h", "attribute", "group", "decision")
    wanted = {
        (table, group, decision): count
        for table, shares in tables.items()
        for group, share in shares.items()
        for decision, count in (("selected", share.count), ("not_selected", share.n - share.count))
    }
    assert found == wanted


def test_intervals_are_wilsons(prometheus: Prometheus, tables: dict[str, Table]) -> None:
    low = prometheus.values("evenmatch:selection_rate_low:24h", "attribute", "group")
    high = prometheus.values("evenmatch:selection_rate_high:24h", "attribute", "group")
    assert len(low) == len(high) == sum(len(shares) for shares in tables.values())
    for (table, group), found in low.items():
        share = tables[table][group]
        own = wilson_interval(share)
        wilson = stats.binomtest(share.count, share.n).proportion_ci(method="wilson")
        assert found == pytest.approx(own.low, abs=1e-6) == pytest.approx(wilson.low, abs=1e-6)
        assert high[table, group] == pytest.approx(own.high, abs=1e-6) == pytest.approx(wilson.high, abs=1e-6)


def test_impact_ratios_are_the_services(prometheus: Prometheus, tables: dict[str, Table]) -> None:
    found = prometheus.values("evenmatch:impact_ratio:24h", "attribute", "group")
    wanted = {
        (table, group): impact_ratio(share, against.reference).value
        for table, shares in tables.items()
        if (against := compared(shares))
        for group, share in shares.items()
        if group != "unknown"
    }
    assert found.keys() == wanted.keys()
    assert ("nobody", "g0") not in found
    for key, ratio in wanted.items():
        assert found[key] == pytest.approx(ratio, rel=1e-12)


def test_p_values_are_scipys_over_all_pairs(prometheus: Prometheus, tables: dict[str, Table]) -> None:
    query = 'evenmatch:p_value{question="selection_rate", window="24h"}'
    found = prometheus.values(query, "attribute", "group")
    wanted = {
        (table, group): p
        for table, shares in tables.items()
        if (against := compared(shares)) and len(against.groups) > 1
        for group, share in against.groups.items()
        if (p := expected_p(share, against.reference, math.comb(len(against.groups), 2))) is not None
    }
    assert len(wanted) > 200
    assert found.keys() == wanted.keys()
    for key, p in wanted.items():
        assert found[key] == pytest.approx(p, abs=21 * 1.5e-7)
        assert (found[key] < 0.001) == (p < 0.001)


def test_alerts_are_what_exact_arithmetic_says(prometheus: Prometheus, tables: dict[str, Table]) -> None:
    query = 'ALERTS{alertname="EvenmatchAdverseImpact", window="24h"}'
    wanted = {
        (table, group)
        for table, shares in tables.items()
        if (against := compared(shares)) and len(against.groups) > 1
        for group, share in against.groups.items()
        if is_below_four_fifths(share, against.reference)
        and (p := expected_p(share, against.reference, math.comb(len(against.groups), 2))) is not None
        and p < 0.001
    }
    assert len(wanted) > 10
    assert prometheus.values(query, "attribute", "group").keys() == wanted


def test_the_tail_of_the_normal_distribution_is_close_everywhere(tmp_path: Path) -> None:
    """The rule's formula at z of 0 to 6, times 210 comparisons: 21 groups."""
    exporter = Exporter()
    values = [i / 20 for i in range(121)]
    labels = [{"question": "q", "window": "w", "attribute": f"a{i}"} for i in range(len(values))]
    exporter.text = "".join(
        line("evenmatch:z", z, **at, group="g") + line("evenmatch:comparisons", 210, **at)
        for z, at in zip(values, labels, strict=True)
    )
    with exporter.serving() as target, running_prometheus(tmp_path / "p", target) as running:
        running.wait_for('evenmatch:p_value{attribute="a120"}')
        found = running.values("evenmatch:p_value", "attribute")
    for z, at in zip(values, labels, strict=True):
        exact = min(1.0, 210 * 2 * float(stats.norm.sf(z)))
        assert found[(at["attribute"],)] == pytest.approx(exact, abs=210 * 1.5e-7)


def test_parity_drift_and_flips_are_scipys(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    outcome_cells = list(product(("selected", "not_selected"), ("positive", "negative")))
    counts = {
        (f"a{i}", group, *cell): int(rng.integers(20, 300))
        for i in range(20)
        for group in ("g0", "g1", "g2")
        for cell in outcome_cells
    }
    pairs = {f"flipped_{i}": (int(rng.integers(5, 300)), int(rng.integers(300, 3000))) for i in range(6)}
    pairs["control"] = (40, 1500)

    def text(counted: bool) -> str:
        lines = [
            line("evenmatch_outcomes_total", n * counted, attribute=a, group=g, decision=d, outcome=o)
            for (a, g, d, o), n in counts.items()
        ]
        lines += [
            line("evenmatch_baseline_parity_difference", 0.03, attribute=f"a{i}", measure="equal_opportunity")
            for i in range(20)
        ]
        for attribute, (flips, n) in pairs.items():
            lines.append(line("evenmatch_counterfactual_flips_total", flips * counted, attribute=attribute))
            lines.append(line("evenmatch_counterfactual_audits_total", n * counted, attribute=attribute))
        return "".join(lines)

    exporter = Exporter()
    exporter.text = text(False)
    with exporter.serving() as target, running_prometheus(tmp_path / "p", target) as running:
        exporter.wait_for_scrapes(2)
        exporter.text = text(True)
        exporter.wait_for_scrapes(2)
        running.wait_for('evenmatch:p_value{question="counterfactual"}')
        running.wait_for('evenmatch:p_value{question="parity_drift"}')
        drift = running.values('evenmatch:p_value{question="parity_drift"}', "attribute", "group")
        flip = running.values('evenmatch:p_value{question="counterfactual"}', "attribute")

    for (attribute, group), found in drift.items():
        shares = {
            g: Share(
                hits := counts[attribute, g, "selected", "positive"],
                hits + counts[attribute, g, "not_selected", "positive"],
            )
            for g in ("g0", "g1", "g2")
        }
        best = max(shares.values(), key=lambda share: (share.exact, share.n))
        excess = best.rate - shares[group].rate - 0.03
        variances = [
            p * (1 - p) / (s.n + 2) for s in (best, shares[group]) for p in [(s.count + 1) / (s.n + 2)]
        ]
        z = max(0.0, excess / math.sqrt(sum(variances)))
        assert found == pytest.approx(min(1.0, 3 * 2 * float(stats.norm.sf(z))), abs=1e-6)
    assert len(drift) == 60

    for (attribute,), found in flip.items():
        # A table of an eighth of the counts has the z of the full one divided by the root of 8.
        table = np.array([[f, n - f] for f, n in (pairs[attribute], pairs["control"])]) / 8
        p = float(stats.chi2_contingency(table, correction=False).pvalue)
        above = pairs[attribute][0] / pairs[attribute][1] > 40 / 1500
        assert found == pytest.approx(min(1.0, 6 * p) if above else 1.0, abs=1e-6)
    assert len(flip) == 6
