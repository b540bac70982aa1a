"""docker/secrets.sh, which makes the secrets that the compose file mounts."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.docker.test_compose import COMPOSE

SCRIPT = Path(__file__).resolve().parents[2] / "docker" / "secrets.sh"


def make(folder: Path, database: str = "") -> dict[str, str]:
    subprocess.run(["sh", str(SCRIPT), database, str(folder)], check=True, capture_output=True)
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_every_secret_of_the_compose_file_is_made(tmp_path: Path) -> None:
    made = make(tmp_path / "secrets")
    assert {f"docker/secrets/{name}" for name in made} == {one["file"] for one in COMPOSE["secrets"].values()}
    assert made.pop("database_url") == ""
    assert len(set(made.values())) == len(made)
    assert all(len(secret) == 64 for secret in made.values())


def test_other_users_of_the_machine_cannot_reach_them_and_containers_can(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o644}


def test_what_exists_is_kept(tmp_path: Path) -> None:
    first = make(tmp_path)
    (tmp_path / "database_url").write_text("postgresql://elsewhere/evenmatch")
    again = make(tmp_path)
    assert again == {**first, "database_url": "postgresql://elsewhere/evenmatch"}


def test_postgres_gets_the_password_of_its_url(tmp_path: Path) -> None:
    made = make(tmp_path, "postgres")
    user = COMPOSE["services"]["postgres"]["environment"]
    assert made["database_url"] == (
        f"postgresql://{user['POSTGRES_USER']}:{made['postgres_password']}@postgres:5432/{user['POSTGRES_DB']}"
    )
    assert make(tmp_path, "sqlite")["database_url"] == ""


def test_anything_else_is_refused_and_makes_nothing(tmp_path: Path) -> None:
    done = subprocess.run(["sh", str(SCRIPT), "mysql", str(tmp_path / "secrets")], capture_output=True)
    assert done.returncode == 2
    assert not (tmp_path / "secrets").exists()
