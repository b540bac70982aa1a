from __future__ import annotations

import ctypes
import math
import re
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import values
from prometheus_client.parser import text_string_to_metric_families

from service.api.paths import ROUTES
from service.core.counterfactual_audit.summary import Arm
from service.core.errors import MetricsLostError
from service.core.groups import GroupSchema
from service.metrics.baselines import MEASURES, Baselines
from service.metrics.live_fairness import WINDOWS, LiveFigures
from service.metrics.registry import Metrics
from service.metrics.shared_values import SharedValues, forget_gauges
from tests.support.decision_logs import TEMPLATE

SCHEMA = GroupSchema()
MOST_SERIES = 5_000
DOCUMENTATION = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"
ROUTE_SERIES = ("evenmatch_requests", "evenmatch_request_seconds")
"""They grow with the routes, which the documentation need not follow."""

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def series(metrics: Metrics) -> Series:
    """Every exposed series: name and labels -> value."""
    text = metrics.exposition().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return series(metrics)[f"evenmatch_{name}", frozenset(labels.items())]


def names(metrics: Metrics) -> set[str]:
    return {name for name, _ in series(metrics)}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(SCHEMA, ROUTES)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that processes share; several of them can be played by this one process."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)  # put back after the test
    return tmp_path


def everything(metrics: Metrics) -> None:
    """Make every series that can exist with the default schema."""
    metrics.fairness(
        {
            (attribute, group, window): LiveFigures(0.5, 1.0, 10)
            for attribute, groups in SCHEMA.members().items()
            for group in groups
            for window in WINDOWS
        }
    )
    metrics.baselines(
        Baselines(
            {(attribute, measure): 0.1 for attribute in SCHEMA.members() for measure in MEASURES},
            {i / 10: i / 10 for i in range(1, 11)},
        )
    )
    metrics.serving(bundle="b", version="1", engine="openvino", device="cpu", precision="f32")


def test_the_default_schema_stays_below_the_most_series(metrics: Metrics) -> None:
    everything(metrics)
    assert 1_000 < len(series(metrics)) <= MOST_SERIES


def test_the_documentation_lists_every_series_and_its_size(metrics: Metrics) -> None:
    everything(metrics)
    text = DOCUMENTATION.read_text("utf-8")
    listed = set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE))))
    families = list(text_string_to_metric_families(metrics.exposition().decode()))
    assert listed == {
        f.name.removeprefix("evenmatch_") + ("_total" if f.type == "counter" else "") for f in families
    }
    for family in families:
        if family.name not in ROUTE_SERIES:
            name = family.name.removeprefix("evenmatch_")
            sizes = re.findall(rf"^\| `{name}(?:_total)?` \|[^|]*\| (\d+) \|", text, re.MULTILINE)
            assert sizes in ([], [str(len(family.samples))]), name


def test_counters_and_histograms_start_at_zero_and_gauges_of_rates_are_absent(metrics: Metrics) -> None:
    assert set(series(metrics).values()) == {0.0}
    assert not {name for name in names(metrics) if name.startswith(("evenmatch_fairness", "evenmatch_base"))}
    assert (
        value(
            metrics, "outcomes_total", attribute="sex", group="male", decision="selected", outcome="negative"
        )
        == 0
    )
    assert (
        value(metrics, "counterfactual_flips_total", attribute="control", source="shadow", redact="true") == 0
    )
    assert value(metrics, "shadow_audits_dropped_total", reason="queue_busy") == 0


def test_a_figure_that_cannot_be_computed_is_not_a_zero(metrics: Metrics) -> None:
    labels = {"attribute": "sex", "group": "female", "window": "24h"}
    metrics.fairness({("sex", "female", "24h"): LiveFigures(0.25, 0.5, 40)})
    assert value(metrics, "fairness_impact_ratio", **labels) == 0.5
    metrics.fairness({("sex", "female", "24h"): LiveFigures(None, None, 0)})
    assert math.isnan(value(metrics, "fairness_selection_rate", **labels))
    assert math.isnan(value(metrics, "fairness_impact_ratio", **labels))
    assert value(metrics, "fairness_sample_size", **labels) == 0


def test_figures_of_groups_outside_the_schema_make_no_series(metrics: Metrics) -> None:
    before = len(series(metrics))
    metrics.fairness(
        {
            ("sex", "Zaphod", "24h"): LiveFigures(0.5, 1.0, 1),
            ("planet", "female", "1h"): LiveFigures(0.5, 1.0, 1),
        }
    )
    metrics.baselines(Baselines({("planet", "equalized_odds"): 0.5}))
    assert len(series(metrics)) == before


def test_an_outcome_counts_for_every_attribute_and_intersection(metrics: Metrics) -> None:
    metrics.outcome({"sex": "female", "race_ethnicity": "asian"}, "selected", "positive")
    metrics.outcome({"sex": "female"}, "not_selected", "negative")
    crossed = {"attribute": "sex_race_ethnicity"}
    positive = {"decision": "selected", "outcome": "positive"}
    assert value(metrics, "outcomes_total", attribute="sex", group="female", **positive) == 1
    assert value(metrics, "outcomes_total", **crossed, group="female:asian", **positive) == 1
    negative = {"decision": "not_selected", "outcome": "negative"}
    assert value(metrics, "outcomes_total", attribute="race_ethnicity", group="unknown", **negative) == 1
    assert value(metrics, "outcomes_total", **crossed, group="unknown", **negative) == 1


def test_tenants_are_named_only_if_the_settings_name_them_and_others_together(
    metrics: Metrics, folder: Path
) -> None:
    metrics.decided({"sex": "female"}, 0.95, "selected", tenant="acme")
    assert not [of for _, of in series(metrics) if "tenant" in dict(of)]
    first, second = (
        Metrics(SCHEMA, ROUTES, shared=SharedValues(folder, slot), tenants=["zeta", "acme"])
        for slot in range(2)
    )
    by_tenant = {(name, dict(of)["tenant"]) for name, of in series(first) if "tenant" in dict(of)}
    scores = [f"match_score_{part}" for part in ("bucket", "count", "sum")]
    assert by_tenant == {
        (f"evenmatch_{name}", tenant)
        for name in ("decisions_total", "outcomes_total", *scores)
        for tenant in ("acme", "zeta", "other")
    }
    for one in (first, second):
        one.decided({"sex": "female"}, 0.95, "selected", tenant="acme")
        one.outcome({"sex": "female"}, "selected", "positive", tenant="nobody")
        one.chunk_decided([replace(TEMPLATE, groups={"sex": "female"}, tenant=t) for t in ("acme", "x")], [])
    one.fairness({("sex", "female", "1h"): LiveFigures(0.5, 1.0, 4)}, "zeta")
    women = {"attribute": "sex", "group": "female"}
    counted = [
        value(first, "decisions_total", **women, decision="selected", tenant=tenant)
        for tenant in ("acme", "zeta", "other")
    ]
    assert counted == [4, 0, 2]
    assert value(first, "match_score_count", **women, tenant="acme") == 4
    judged = {"decision": "selected", "outcome": "positive"}
    assert value(first, "outcomes_total", **women, **judged, tenant="other") == 2
    assert value(first, "fairness_sample_size", **women, window="1h", tenant="zeta") == 4


def test_baselines_stand_beside_the_live_series_of_the_same_labels(metrics: Metrics) -> None:
    metrics.baselines(Baselines({("sex", "equalized_odds"): 0.05}, {0.1: 0.4, 1.0: 1.0}))
    assert value(metrics, "baseline_parity_difference", attribute="sex", measure="equalized_odds") == 0.05
    found = series(metrics)
    edges = {dict(labels)["le"] for name, labels in found if name == "evenmatch_match_score_bucket"}
    baseline = {
        dict(labels)["upper"] for name, labels in found if name == "evenmatch_baseline_match_score_share"
    }
    assert baseline == {"0.1", "1.0"} <= edges


def test_audits_are_counted_by_source_and_redaction(metrics: Metrics) -> None:
    arms = {"name": Arm((0.0, -0.02), 1), "control": Arm((0.001,), 0)}
    metrics.audited(arms, redact=True, source="requested")
    metrics.shadow_audited(arms, redact=False)
    shadow = {"source": "shadow", "redact": "false"}
    assert value(metrics, "counterfactual_audits_total", attribute="name", **shadow) == 2
    assert value(metrics, "counterfactual_flips_total", attribute="name", **shadow) == 1
    assert value(metrics, "counterfactual_score_gap_sum", attribute="name", **shadow) == 0.02
    assert value(metrics, "counterfactual_audits_total", attribute="control", **shadow) == 1
    assert value(metrics, "shadow_audits_total", redact="false") == 1
    assert value(metrics, "shadow_audits_total", redact="true") == 0
    requested = {"source": "requested", "redact": "true"}
    assert value(metrics, "counterfactual_audits_total", attribute="name", **requested) == 2


def test_the_store_is_heard(metrics: Metrics) -> None:
    metrics.decisions_stored(3)
    metrics.store_failed()
    metrics.store_queue_changed(7)
    metrics.spool_changed(5)
    counters = [value(metrics, "stored_decisions_total"), value(metrics, "store_failures_total")]
    gauges = [value(metrics, "store_queue_depth"), value(metrics, "spooled_decisions")]
    assert (counters, gauges) == ([3, 1], [7, 5])


def test_several_processes_sum_up_whichever_is_asked(folder: Path) -> None:
    first, second = (Metrics(SCHEMA, ROUTES, shared=SharedValues(folder, slot)) for slot in range(2))
    assert set(series(first).values()) == {0.0}
    assert names(first) == names(Metrics(SCHEMA, ROUTES, shared=SharedValues(folder, 0)))
    for count, one in ((2, first), (3, second)):
        everything(one)
        one.queue_changed(count)
        one.process_ready(wanted=2, replaces=False)
        for _ in range(count):
            one.decided({"sex": "female"}, 0.95, "selected")
    assert series(first) == series(second)
    assert value(first, "decisions_total", attribute="sex", group="female", decision="selected") == 5
    assert value(first, "match_score_count", attribute="sex", group="female") == 5
    assert value(first, "queue_depth") == 5
    assert value(first, "processes") == value(first, "processes_wanted") == 2
    assert value(first, "fairness_selection_rate", attribute="sex", group="male", window="1h") == 0.5
    assert value(first, "baseline_parity_difference", attribute="sex", measure="demographic_parity") == 0.1
    models = [of for (name, _), of in series(first).items() if name == "evenmatch_model_info"]
    assert models == [1]


def work(metrics: Metrics) -> None:
    """Something of everything, values below, on and above edges of buckets among them."""
    everything(metrics)
    metrics.decided({"sex": "male"}, 0.5, "selected")
    metrics.answered("/v1/score", 200, 0.3)
    metrics.shadow_audited({"name": Arm((0.0, 0.02), 1)}, redact=True)
    for tokens in (16, 700, 100_000):
        metrics.batch_done(tokens, 0.02)


def test_shared_series_are_those_of_a_process_alone(folder: Path) -> None:
    shared = Metrics(SCHEMA, ROUTES, shared=SharedValues(folder, 0))
    work(shared)
    alone = Metrics(SCHEMA, ROUTES)
    work(alone)
    assert series(shared) == series(alone)
    assert value(shared, "batch_tokens_bucket", le="16384.0") == 2
    assert value(shared, "batch_tokens_bucket", le="+Inf") == value(shared, "batch_tokens_count") == 3


def test_a_process_alone_writes_no_files_whatever_the_environment_says(folder: Path) -> None:
    SharedValues(folder, 0).join()
    metrics = Metrics(SCHEMA, ROUTES)
    everything(metrics)
    assert list(folder.iterdir()) == []


def test_the_last_figure_counts_whichever_process_computed_it(folder: Path) -> None:
    first, second = (Metrics(SCHEMA, ROUTES, shared=SharedValues(folder, slot)) for slot in range(2))
    labels = {"attribute": "sex", "group": "female", "window": "7d"}
    first.fairness({("sex", "female", "7d"): LiveFigures(0.9, 1.0, 10)})
    second.fairness({("sex", "female", "7d"): LiveFigures(0.1, None, 20)})
    assert value(first, "fairness_selection_rate", **labels) == 0.1
    assert value(first, "fairness_sample_size", **labels) == 20
    assert math.isnan(value(first, "fairness_impact_ratio", **labels))


def test_the_successor_of_a_dead_process_counts_on(folder: Path) -> None:
    first, dead = (Metrics(SCHEMA, ROUTES, shared=SharedValues(folder, slot)) for slot in range(2))
    for one in (first, dead):
        one.decided({}, 0.5, "selected")
        one.queue_changed(4)
        one.process_ready(wanted=2, replaces=False)
    forget_gauges(folder, 1)
    unknown = {"attribute": "sex", "group": "unknown", "decision": "selected"}
    assert value(first, "decisions_total", **unknown) == 2
    assert value(first, "queue_depth") == 4
    assert value(first, "processes") == 1
    counted = {file.name for file in folder.iterdir() if not file.name.startswith("gauge")}
    successor = Metrics(SCHEMA, ROUTES, shared=SharedValues(folder, 1))
    successor.process_ready(wanted=2, replaces=True)
    successor.decided({}, 0.5, "selected")
    assert value(first, "decisions_total", **unknown) == 3
    assert value(first, "processes") == 2
    assert value(first, "process_replacements_total") == 1
    assert counted == {file.name for file in folder.iterdir() if not file.name.startswith("gauge")}


def counted(metrics: Metrics) -> float:
    unknown = {"attribute": "sex", "group": "unknown", "decision": "selected"}
    return value(metrics, "decisions_total", **unknown)


@pytest.mark.parametrize("what", ["folder", "files", "one file"])
def test_values_whose_files_were_removed_are_written_anew(folder: Path, what: str) -> None:
    metrics = Metrics(SCHEMA, ROUTES, shared=SharedValues(folder, 0))
    everything(metrics)
    before, decisions = series(metrics), counted(metrics)
    if what == "folder":
        shutil.rmtree(folder)
    for file in sorted(folder.glob("*.db"))[: 1 if what == "one file" else None]:
        file.unlink()
    metrics.decided({}, 0.5, "selected")
    metrics.keep()
    metrics.decided({}, 0.5, "selected")
    assert counted(metrics) == decisions + 2
    assert series(metrics).keys() == before.keys()
    if what == "folder":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nothing_is_told_until_every_process_has_written_its_values_anew(folder: Path) -> None:
    joined = (ctypes.c_byte * 3)()
    first, second = (Metrics(SCHEMA, ROUTES, shared=SharedValues(folder, slot, joined)) for slot in range(2))
    for one in (first, second):
        one.decided({}, 0.5, "selected")
    shutil.rmtree(folder)
    with pytest.raises(MetricsLostError, match="of process slot 1 are gone"):
        first.exposition()
    second.keep()
    assert counted(first) == counted(second) == 2


def test_a_folder_that_cannot_be_made_again_fails_loudly(folder: Path) -> None:
    metrics = Metrics(SCHEMA, ROUTES, shared=SharedValues(folder, 0))
    shutil.rmtree(folder)
    folder.touch()
    for tell in (metrics.keep, metrics.exposition):
        with pytest.raises(MetricsLostError, match=r"cannot be made|somebody else's"):
            tell()
    metrics.decided({}, 0.5, "selected")
    folder.unlink()
    assert counted(metrics) == 1
