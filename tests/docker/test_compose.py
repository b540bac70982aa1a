"""docker-compose.yml: what must hold for every service, and that it fits the rest of the project."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.settings import Settings, all_settings

CHECKOUT = Path(__file__).resolve().parents[2]
FILE = CHECKOUT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]

every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def mounts() -> list[tuple[str, str]]:
    """Files and folders of this checkout that are mounted, and where."""
    pairs = [mount.split(":")[:2] for service in SERVICES.values() for mount in service.get("volumes", [])]
    return [(source, target) for source, target in pairs if source.startswith(".")]


def seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))


def test_it_fits_the_schema_of_compose_files() -> None:
    pytest.importorskip("check_jsonschema", reason="check-jsonschema, which has the schema, is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@every_service
def test_a_service_can_change_nothing_but_its_volumes(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service)
    written = {mount.split(":")[0] for mount in service["volumes"] if not mount.endswith(":ro")}
    assert len(written) == 1
    assert written <= set(COMPOSE["volumes"])


@every_service
def test_a_service_is_bounded_and_comes_back(service: dict[str, Any]) -> None:
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert service["restart"] == "unless-stopped"


@every_service
def test_an_image_is_of_one_version(service: dict[str, Any]) -> None:
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(-\w+)?", service["image"])


def test_its_own_image_is_of_this_version() -> None:
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert SERVICES["evenmatch"]["image"] == f"evenmatch:{version}"
    assert SERVICES["evenmatch"]["build"]["target"] == "cpu"


@every_service
def test_a_port_is_published_on_this_machine_only(service: dict[str, Any]) -> None:
    assert all(re.fullmatch(r"\$\{\w+_AT:-127\.0\.0\.1:\d+\}:\d+", port) for port in service.get("ports", []))


def test_the_database_publishes_no_port_and_is_optional() -> None:
    assert "ports" not in SERVICES["postgres"]
    assert SERVICES["postgres"]["profiles"] == ["postgres"]
    assert SERVICES["evenmatch"]["depends_on"]["postgres"]["required"] is False
    assert COMPOSE["networks"]["database"]["internal"] is True


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "evenmatch"])
def test_a_service_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_its_own_health_check_is_the_images() -> None:
    assert "healthcheck" not in SERVICES["evenmatch"]


def test_the_environment_are_settings() -> None:
    names = [name for name in SERVICES["evenmatch"]["environment"] if name.startswith("EVENMATCH_")]
    assert names
    assert set(names) <= {name for one in all_settings() for name in one.names}


def test_the_secrets_it_reads_are_settings() -> None:
    targets = [secret["target"] for secret in SERVICES["evenmatch"]["secrets"]]
    assert {target.upper() for target in targets} <= {name for one in all_settings() for name in one.names}


def test_a_secret_is_a_file_and_never_a_value() -> None:
    named = {
        secret if isinstance(secret, str) else secret["source"]
        for service in SERVICES.values()
        for secret in service.get("secrets", [])
    }
    assert named == set(COMPOSE["secrets"])
    assert all(list(secret) == ["file"] for secret in COMPOSE["secrets"].values())
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|KEY|TOKEN|URL", name):
                assert re.fullmatch(r"/run/secrets/\w+", value), name


def test_there_is_time_to_answer_open_requests() -> None:
    # uvicorn's wait for open requests, then the queue's.
    assert seconds(SERVICES["evenmatch"]["stop_grace_period"]) > 2 * Settings().server.drain_seconds


@pytest.mark.parametrize(("source", "target"), mounts(), ids=[source for source, _ in mounts()])
def test_what_is_mounted_exists(source: str, target: str) -> None:
    assert any((CHECKOUT / source).iterdir())


def test_dashboards_lie_where_grafana_looks_for_them() -> None:
    files = (CHECKOUT / "docker" / "grafana" / "provisioning" / "dashboards").glob("*.y*ml")
    providers = [one for file in files for one in yaml.safe_load(file.read_text("utf-8"))["providers"]]
    assert providers
    assert {one["options"]["path"] for one in providers} <= {target for _, target in mounts()}
