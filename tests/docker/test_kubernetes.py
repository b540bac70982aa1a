"""The Helm chart, rendered by Helm's own library: Kubernetes' schemas, and that it fits the service."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python as helm
import kubernetes_validate
import pytest
import yaml
from typer.testing import CliRunner

from service.api.paths import LIVE, METRICS, READY
from service.cli import app
from service.settings import Settings, all_settings

CHECKOUT = Path(__file__).resolve().parents[2]
CHART = CHECKOUT / "docker" / "kubernetes" / "evenmatch"
KUBERNETES = ("1.29", "1.35")
"""The oldest that the chart names, and a recent one."""

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def chart() -> Iterator[helm.Chart]:
    with helm.Chart.load(str(CHART)) as loaded:
        yield loaded


def render(chart: helm.Chart, values: dict[str, Any] | None = None) -> dict[tuple[str, str], Manifest]:
    """By kind and name, for a release named `prod`."""
    texts = chart.render(values or {}, name="prod", namespace="hiring").values()
    documents = [one for text in texts for one in yaml.safe_load_all(text) if one is not None]
    found = {(one["kind"], one["metadata"]["name"]): one for one in documents}
    assert len(found) == len(documents)
    return found


@pytest.fixture(scope="module")
def rendered(chart: helm.Chart) -> dict[tuple[str, str], Manifest]:
    return render(chart, {"monitoring": {"enabled": True}})


def pods(rendered: dict[tuple[str, str], Manifest]) -> dict[str, Manifest]:
    """Templates of pods by their component."""
    templates = [one["spec"]["template"] for one in rendered.values() if "template" in one.get("spec", {})]
    return {one["metadata"]["labels"]["app.kubernetes.io/component"]: one for one in templates}


def container(pod: Manifest) -> Manifest:
    (only,) = pod["spec"]["containers"]
    return dict(only)


def environment(rendered: dict[tuple[str, str], Manifest], component: str) -> dict[str, str]:
    """Variables of a pod's container, with those of the ConfigMap that it names."""
    of_pod = container(pods(rendered)[component])
    found: dict[str, str] = {}
    for source in of_pod.get("envFrom", []):
        found |= rendered["ConfigMap", source["configMapRef"]["name"]]["data"]
    return found | {one["name"]: one["value"] for one in of_pod.get("env", [])}


def mib(quantity: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([MG])i", quantity).groups()  # type: ignore[union-attr]
    return int(number) * {"M": 1, "G": 1024}[unit]


def test_helm_finds_nothing_to_complain_of() -> None:
    found = helm.lint(str(CHART))
    assert found["errors"] == []
    assert [one["error"] for one in found["messages"] if one["severity"] > 1] == []


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"autoscaling": {"enabled": False}, "workers": {"enabled": False}, "migration": {"enabled": False}},
        {
            "networkPolicy": {"database": {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}},
            "image": {"digest": f"sha256:{'0' * 64}"},
            "imagePullSecrets": [{"name": "registry"}],
            "tolerations": [{"key": "hiring", "operator": "Exists"}],
            "podAnnotations": {"example.com/team": "hiring"},
        },
    ],
    ids=["defaults", "without", "more"],
)
def test_every_manifest_fits_the_schema_of_kubernetes(chart: helm.Chart, values: dict[str, Any]) -> None:
    for manifest in render(chart, values).values():
        for version in KUBERNETES:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_a_release_is_complete(rendered: dict[tuple[str, str], Manifest]) -> None:
    assert set(rendered) == {
        ("ConfigMap", "prod-evenmatch"),
        ("Deployment", "prod-evenmatch"),
        ("Deployment", "prod-evenmatch-worker"),
        ("HorizontalPodAutoscaler", "prod-evenmatch"),
        ("Job", "prod-evenmatch-migration"),
        ("NetworkPolicy", "prod-evenmatch"),
        ("NetworkPolicy", "prod-evenmatch-requests"),
        ("PodDisruptionBudget", "prod-evenmatch"),
        ("PodDisruptionBudget", "prod-evenmatch-worker"),
        ("PrometheusRule", "prod-evenmatch"),
        ("Service", "prod-evenmatch"),
        ("Service", "prod-evenmatch-metrics"),
        ("ServiceMonitor", "prod-evenmatch"),
    }


def test_versions_are_those_of_the_project(chart: helm.Chart) -> None:
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert (chart.version, chart.metadata["appVersion"]) == (version, version)
    assert {container(pod)["image"] for pod in pods(render(chart)).values()} == {f"evenmatch:{version}"}
    pinned = {"image": {"digest": f"sha256:{'0' * 64}"}}
    images = {container(pod)["image"] for pod in pods(render(chart, pinned)).values()}
    assert images == {f"evenmatch@sha256:{'0' * 64}"}


def test_no_pod_can_change_anything_but_its_volumes(rendered: dict[tuple[str, str], Manifest]) -> None:
    user = re.search(r"^USER (\d+):(\d+)$", (CHECKOUT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert user is not None
    for pod in pods(rendered).values():
        spec, inside = pod["spec"], container(pod)
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert (spec["securityContext"]["runAsUser"], spec["securityContext"]["runAsGroup"]) == (
            int(user[1]),
            int(user[2]),
        )
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert inside["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert spec["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        written = {mount["mountPath"] for mount in inside["volumeMounts"] if not mount.get("readOnly")}
        assert written == {"/data", "/tmp"}
        assert not any("hostPath" in volume for volume in spec["volumes"])


def test_settings_that_a_pod_is_given_exist_and_are_taken(rendered: dict[tuple[str, str], Manifest]) -> None:
    known = {name for setting in all_settings() for name in setting.names}
    for component in pods(rendered):
        given = environment(rendered, component)
        assert set(given) <= known
    settings = environment(rendered, "api")
    assert settings["EVENMATCH_STORE_FAILURE"] == "refuse"  # the disk of a pod goes with it
    assert float(settings["EVENMATCH_DRAIN_SECONDS"]) == Settings().server.drain_seconds


def test_batch_jobs_are_scored_by_workers_where_there_are_any(chart: helm.Chart) -> None:
    with_workers, alone = render(chart), render(chart, {"workers": {"enabled": False}})
    assert environment(with_workers, "api")["EVENMATCH_JOBS_ENABLED"] == "false"
    assert environment(with_workers, "worker")["EVENMATCH_JOBS_ENABLED"] == "true"
    assert environment(alone, "api")["EVENMATCH_JOBS_ENABLED"] == "true"


def test_secrets_come_by_reference_and_never_in_values(chart: helm.Chart) -> None:
    secret = [
        setting
        for setting in all_settings()
        if "Secret" in str(setting.field.annotation) or not setting.field.repr
    ]
    assert secret
    for setting in secret:
        for name in setting.names:
            with pytest.raises(helm.HelmError, match=f"'{name}'"):
                render(chart, {"settings": {name: "in the open"}})
    (volume,) = (one for one in pods(render(chart))["api"]["spec"]["volumes"] if one["name"] == "secrets")
    # Named one by one: a pod must not start without one of them, and keep decisions in a file of its own.
    names = {item["path"].upper() for item in volume["secret"]["items"]}
    assert names == {"EVENMATCH_DATABASE_URL", "EVENMATCH_LOG_KEY", "EVENMATCH_KEYS_SECRET"}
    assert names <= {name for setting in secret for name in setting.names}
    assert not volume["secret"].get("optional")


@pytest.mark.parametrize(
    "values",
    [
        {"replica": 2},
        {"settings": {"LOG_LEVEL": "debug"}},
        {"settings": {"EVENMATCH_PORT": "9000"}},
        {"image": {"digest": "latest"}},
        {"drainSeconds": 0},
        {"networkPolicy": {"from": []}},
    ],
    ids=str,
)
def test_what_is_not_among_the_values_is_refused(chart: helm.Chart, values: dict[str, Any]) -> None:
    with pytest.raises(helm.HelmError):
        render(chart, values)


def test_probes_ask_what_the_service_answers(rendered: dict[tuple[str, str], Manifest]) -> None:
    for component in ("api", "worker"):
        inside = container(pods(rendered)[component])
        paths = {
            kind: inside[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")
        }
        assert paths == {"startup": LIVE, "liveness": LIVE, "readiness": READY}
        assert {inside[f"{kind}Probe"]["httpGet"]["port"] for kind in paths} == {"http"}
        assert inside["ports"] == [{"name": "http", "containerPort": Settings().server.port}]
        assert inside["readinessProbe"]["timeoutSeconds"] >= Settings().model.ready_seconds
        start = inside["startupProbe"]
        assert start["periodSeconds"] * start["failureThreshold"] >= 300


@pytest.mark.parametrize("drain", [5, 30, 120])
def test_a_pod_has_time_to_answer_what_is_open(chart: helm.Chart, drain: int) -> None:
    rendered = render(chart, {"drainSeconds": drain, "leaveSeconds": 7})
    for component in ("api", "worker"):
        spec = pods(rendered)[component]["spec"]
        assert container(pods(rendered)[component])["lifecycle"]["preStop"]["exec"]["command"] == [
            "sleep",
            "7",
        ]
        assert environment(rendered, component)["EVENMATCH_DRAIN_SECONDS"] == str(drain)
        # Open requests, then the queue, get that time each.
        assert spec["terminationGracePeriodSeconds"] > 7 + 2 * drain


def test_resources_agree_with_what_was_measured(rendered: dict[tuple[str, str], Manifest]) -> None:
    page = (CHECKOUT / "docs" / "containers.md").read_text("utf-8")
    most = re.search(r"had (\d+) MiB at most while it loaded", page)
    reader = re.search(r"reads long texts takes (\d+) MiB", page)
    assert most is not None
    assert reader is not None
    measured = int(most[1]) + int(reader[1])
    for component in ("api", "worker"):
        spec = pods(rendered)[component]["spec"]
        given = container(pods(rendered)[component])["resources"]
        (tmp,) = (one["emptyDir"] for one in spec["volumes"] if one["name"] == "tmp")
        assert mib(given["requests"]["memory"]) > measured
        assert mib(given["limits"]["memory"]) > 2 * measured + mib(tmp["sizeLimit"])
        assert "cpu" in given["limits"]  # the engine takes as many threads


def test_what_selects_pods_finds_the_right_ones(rendered: dict[tuple[str, str], Manifest]) -> None:
    labels = {component: pod["metadata"]["labels"] for component, pod in pods(rendered).items()}

    def found(selector: dict[str, str]) -> set[str]:
        return {one for one, has in labels.items() if selector.items() <= has.items()}

    for (kind, name), manifest in rendered.items():
        spec = manifest.get("spec", {})
        own = {"worker"} if name.endswith("-worker") else {"api"}
        if kind in ("Deployment", "PodDisruptionBudget"):
            assert found(spec["selector"]["matchLabels"]) == own
    services = {name: one["spec"] for (kind, name), one in rendered.items() if kind == "Service"}
    assert found(services["prod-evenmatch"]["selector"]) == {"api"}
    assert found(services["prod-evenmatch-metrics"]["selector"]) == {"api", "worker"}
    policies = {name: one["spec"] for (kind, name), one in rendered.items() if kind == "NetworkPolicy"}
    assert found(policies["prod-evenmatch"]["podSelector"]["matchLabels"]) == set(labels)
    assert found(policies["prod-evenmatch-requests"]["podSelector"]["matchLabels"]) == {"api"}
    monitor = rendered["ServiceMonitor", "prod-evenmatch"]["spec"]
    selected = [
        name
        for (kind, name), one in rendered.items()
        if kind == "Service"
        and monitor["selector"]["matchLabels"].items() <= one["metadata"]["labels"].items()
    ]
    assert selected == ["prod-evenmatch-metrics"]
    assert [(one["port"], one["path"]) for one in monitor["endpoints"]] == [("http", METRICS)]
    # The rules ask for this job.
    assert rendered["Service", selected[0]]["metadata"]["labels"][monitor["jobLabel"]] == "evenmatch"


def test_the_autoscaler_asks_for_a_metric_that_the_adapter_makes_of_one_of_ours(
    rendered: dict[tuple[str, str], Manifest],
) -> None:
    page = (CHECKOUT / "docs" / "metrics.md").read_text("utf-8")
    spec = rendered["HorizontalPodAutoscaler", "prod-evenmatch"]["spec"]
    queue, cpu = spec["metrics"]
    name = queue["pods"]["metric"]["name"]
    assert f"| `{name.removeprefix('evenmatch_')}` |" in page
    adapter = yaml.safe_load((CHART.parent / "prometheus-adapter.yaml").read_text("utf-8"))
    (rule,) = adapter["rules"]["custom"]
    assert rule["name"]["as"] == name
    assert rule["seriesQuery"].startswith(f"{name}{{")
    assert cpu["containerResource"]["container"] == container(pods(rendered)["api"])["name"]
    assert spec["scaleTargetRef"]["name"] == "prod-evenmatch"
    assert "replicas" not in rendered["Deployment", "prod-evenmatch"]["spec"]  # the autoscaler's alone


def test_the_migration_runs_a_command_that_exists_and_needs_nothing_of_the_release(
    rendered: dict[tuple[str, str], Manifest],
) -> None:
    job = rendered["Job", "prod-evenmatch-migration"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    inside = container(pods(rendered)["migration"])
    assert CliRunner().invoke(app, [*inside["args"], "--help"]).exit_code == 0
    # Made before everything else: only what is there already may be named.
    assert "envFrom" not in inside
    assert "serviceAccountName" not in pods(rendered)["migration"]["spec"]
    assert not any("configMap" in one for one in pods(rendered)["migration"]["spec"]["volumes"])


def test_the_rules_are_those_of_docker_prometheus(rendered: dict[tuple[str, str], Manifest]) -> None:
    groups = [
        group
        for file in sorted((CHECKOUT / "docker" / "prometheus" / "rules").glob("*.yml"))
        for group in yaml.safe_load(file.read_text("utf-8"))["groups"]
    ]
    assert rendered["PrometheusRule", "prod-evenmatch"]["spec"]["groups"] == groups
