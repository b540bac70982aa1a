"""Export and import against a hub that really speaks HTTP, on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from service.core.bundle import Bundle, read_bundle
from tests.support.bundles import write_test_bundle
from tests.support.erasers import random_eraser
from tests.support.fake_hub import TOKEN, FakeHub, Repo, fake_hub
from tests.support.patience import PATIENCE
from training.bundles.export import export_adapter, rebuild_bundle
from training.bundles.hub import HubError, check_repo_id, open_hub, pull_folder, push_folder
from training.bundles.sentence_transformers_export import export_sentence_transformers

# huggingface_hub 2.4 hands a file to the HTTP client in its old way.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

REPO = "acme/fair-lora"
BASE = "BAAI/bge-large-en-v1.5"


@pytest.fixture(scope="module")
def adapted(bge_like: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("adapted") / "bundle"
    return write_test_bundle(folder, str(bge_like), adapter=adapter, eraser=random_eraser(32))


@pytest.fixture(scope="module")
def exported(adapted: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_adapter(adapted, tmp_path_factory.mktemp("exported") / "adapter", base_model=BASE)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    with fake_hub() as running:
        monkeypatch.setattr(constants, "ENDPOINT", running.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", running.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        yield running


def push(folder: Path, *, private: bool = False, branch: str | None = None) -> str:
    return push_folder(open_hub(), folder, REPO, private=private, branch=branch, commit_message="fair 1.0.0")


def content(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_every_file_arrives_in_one_commit(hub: FakeHub, exported: Path) -> None:
    url = push(exported, private=True)
    repo = hub.repos[REPO]
    assert repo.private
    assert repo.branches["main"] == {".gitattributes": b"*", **content(exported)}
    assert repo.messages == ["fair 1.0.0"]
    assert url.startswith(f"{hub.url}/{REPO}/commit/")
    assert len(hub.verified) == 2  # the adapter's weights and the eraser went as large files
    asked = [*hub.sent("/api/repos/create"), *hub.sent(REPO)]
    assert len(asked) >= 6  # create, visibility, files there, upload modes, large files, commit
    assert {authorization for _, _, authorization in asked} == {f"Bearer {TOKEN}"}
    # Storage is another company's: its addresses are signed and the token is not for it.
    assert {authorization for _, _, authorization in hub.sent("/storage/")} == {None}


def test_public_unless_asked(hub: FakeHub, exported: Path) -> None:
    push(exported)
    assert not hub.repos[REPO].private


def test_private_is_never_pushed_to_a_public_repository(hub: FakeHub, exported: Path) -> None:
    hub.repos[REPO] = Repo(private=False)
    with pytest.raises(HubError, match=r"acme/fair-lora exists already and is public: nothing was pushed"):
        push(exported, private=True)
    assert hub.sent("/commit/") == hub.sent("/storage/") == []


def test_a_second_push_replaces_the_bundle_and_keeps_other_files(hub: FakeHub, exported: Path) -> None:
    old = {"LICENSE": b"mine", "bundle/gone.json": b"{}", "adapter_config.json": b"old"}
    hub.repos[REPO] = Repo(private=True, branches={"main": dict(old)})
    push(exported, private=True)
    assert hub.repos[REPO].branches["main"] == {"LICENSE": b"mine", **content(exported)}


def test_a_push_of_the_other_form_leaves_nothing_of_the_first(
    hub: FakeHub, exported: Path, adapted: Bundle, tmp_path: Path
) -> None:
    """A base model beside `adapter_config.json` would be loaded with the adapter a second time."""
    whole = export_sentence_transformers(adapted, tmp_path / "whole")
    hub.repos[REPO] = Repo(private=True, branches={"main": {"LICENSE": b"mine"}})
    for folder in (exported, whole, exported):
        push(folder, private=True)
        assert hub.repos[REPO].branches["main"] == {"LICENSE": b"mine", **content(folder)}
        assert rebuild_bundle(pull_folder(REPO), tmp_path / "again", overwrite=True).digest == adapted.digest


def test_a_branch_is_made_and_pushed_to(hub: FakeHub, exported: Path) -> None:
    push(exported, branch="candidate")
    branches = hub.repos[REPO].branches
    assert set(content(exported)) < set(branches["candidate"])
    assert branches["main"] == {".gitattributes": b"*"}
    push(exported, branch="candidate")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "the token is missing or not valid"),
        (403, "the token may not do that there"),
        (404, "no such owner, repository or revision"),
        (429, "too many requests"),
        (500, "the hub has a problem, try again later"),
        (503, "the hub has a problem, try again later"),
    ],
)
def test_a_refusal_names_status_and_repository_but_never_the_token(
    hub: FakeHub, exported: Path, status: int, reason: str
) -> None:
    hub.refusals["POST", "/api/repos/create"] = (status, f"no {TOKEN} here")
    with pytest.raises(HubError) as caught:
        push(exported)
    assert caught.value.message.startswith(f"pushing to {REPO}: the hub answered {status}, {reason}")
    assert TOKEN not in caught.value.message
    assert caught.value.message.endswith("(no *** here)")


@pytest.mark.parametrize("where", [("PUT", "/storage/"), ("POST", "/commit/"), ("POST", "/preupload/")])
def test_a_refusal_half_way_is_explained_too(hub: FakeHub, exported: Path, where: tuple[str, str]) -> None:
    hub.refusals[where] = (403, "quota")
    with pytest.raises(HubError, match=r"pushing to acme/fair-lora: the hub answered 403, the token may not"):
        push(exported)
    assert hub.repos[REPO].branches["main"] == {".gitattributes": b"*"}


def test_a_hub_that_is_not_there_is_said(
    hub: FakeHub, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubError, match=r"no connection to the hub at http://127\.0\.0\.1:9 \(Connect"):
        push(exported)


def test_offline_mode_is_respected(hub: FakeHub, exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set"):
        push(exported)
    assert hub.requests == []


def test_no_token_is_said_with_the_ways_to_give_one(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubError, match="set HF_TOKEN or run `hf auth login`"):
        open_hub()


@pytest.mark.parametrize(
    "repo_id", ["", "fair", "a/b/c", "a b/c", "acme/fair..lora", "acme/" + "x" * 100, "-a/b"]
)
def test_an_id_that_the_hub_would_not_take_is_refused(repo_id: str) -> None:
    with pytest.raises(HubError, match="is not a repository id: OWNER/NAME"):
        check_repo_id(repo_id)


def test_what_was_pushed_is_pulled(hub: FakeHub, exported: Path) -> None:
    push(exported, private=True)
    pulled = content(pull_folder(REPO))
    assert pulled == {
        name: data
        for name, data in content(exported).items()
        if name.startswith("bundle/") or name == "adapter_model.safetensors"
    }


def test_what_is_not_there_cannot_be_pulled(hub: FakeHub) -> None:
    with pytest.raises(HubError, match="downloading acme/nothing: the hub answered 404, no such owner"):
        pull_folder("acme/nothing")


def train(
    hub: FakeHub, home: Path, *arguments: str, token: str | None = TOKEN
) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "TRANSFORMERS_"))}
    return subprocess.run(
        [sys.executable, "-m", "training.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=Path(__file__).parents[3],
        env={
            **kept,
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "NO_PROXY": "127.0.0.1",
            **({"HF_TOKEN": token} if token else {}),
        },
    )


@pytest.mark.slow
def test_the_commands_publish_and_fetch_a_bundle(hub: FakeHub, adapted: Bundle, tmp_path: Path) -> None:
    options = ["--private", "--revision", "v1", "--commit-message", "first", "--license", "mit"]
    done = train(
        hub,
        tmp_path / "home",
        "export",
        str(adapted.path),
        "--output",
        str(tmp_path / "adapter"),
        "--push",
        "--repo-id",
        REPO,
        "--base-model",
        BASE,
        *options,
    )
    assert done.returncode == 0, done.stderr
    assert f"pushed {hub.url}/{REPO}/commit/" in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    repo = hub.repos[REPO]
    assert (repo.private, repo.messages) == (True, ["first"])
    assert repo.branches["v1"] == {".gitattributes": b"*", **content(tmp_path / "adapter")}

    fetched = tmp_path / "fetched"
    done = train(hub, tmp_path / "home", "import", REPO, "--revision", "v1", "--output", str(fetched))
    assert done.returncode == 0, done.stderr
    assert "adapter + eraser of 2 directions" in done.stderr
    assert read_bundle(fetched).digest == adapted.digest


def test_nothing_is_sent_without_push(hub: FakeHub, adapted: Bundle, tmp_path: Path) -> None:
    output = ["--output", str(tmp_path / "adapter"), "--base-model", BASE, "--repo-id", REPO]
    done = train(hub, tmp_path / "home", "export", str(adapted.path), *output)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "adapter" / "README.md").is_file()
    done = train(hub, tmp_path / "home", "import", str(tmp_path / "adapter"), "--output", str(tmp_path / "b"))
    assert done.returncode == 0, done.stderr
    assert hub.requests == []


def test_without_a_token_nothing_is_written_or_sent(hub: FakeHub, adapted: Bundle, tmp_path: Path) -> None:
    arguments = ["export", str(adapted.path), "--output", str(tmp_path / "adapter"), "--base-model", BASE]
    done = train(hub, tmp_path / "home", *arguments, "--push", "--repo-id", REPO, token=None)
    assert done.returncode == 1
    assert done.stderr == "error: no token for the model hub: set HF_TOKEN or run `hf auth login`\n"
    assert not (tmp_path / "adapter").exists()
    assert hub.requests == []


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere", "--output", "out"], 1, "no bundle at nowhere: not a folder"),
        pytest.param(["nowhere"], 2, "nothing to do: give --output DIR, or --push", marks=pytest.mark.slow),
        (["nowhere", "--push"], 2, "--push needs --repo-id OWNER/NAME"),
        pytest.param(
            ["nowhere", "--output", "out", "--private"],
            2,
            "only make sense with --push",
            marks=pytest.mark.slow,
        ),
        (["nowhere", "--push", "--repo-id", "fair"], 1, "'fair' is not a repository id"),
    ],
)
def test_wrong_usage_is_said(
    hub: FakeHub, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    done = train(hub, tmp_path / "home", "export", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert hub.requests == []
