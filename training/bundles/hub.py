"""Push to and pull from a model hub, with errors that a user can act on. Tokens are never shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi, constants, get_token, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

# Not marked as exported: the base error of whichever HTTP library the client uses, and its check of ids.
from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # isort: skip
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # isort: skip

from service.core.errors import EvenmatchError

_REASONS = {
    401: "the token is missing or not valid",
    403: "the token may not do that there",
    404: "no such owner, repository or revision, or the token may not see it",
    429: "too many requests, try again later",
}


_REPLACED = [
    "bundle/*",
    "adapter_config.json", "adapter_model.safetensors", "evenmatch_adapter.py",
    "config.json", "model*.safetensors", "model.safetensors.index.json", "tokenizer*.json",
    "modules.json", "*sentence_*.json", "1_Pooling/*", "2_Normalize/*", "3_Dense/*", "4_Normalize/*",
]  # fmt: skip
"""What exports consist of, in either form. A base model beside an adapter's configuration would be loaded as
both, and a bundle's eraser would be left out beside an older one's `modules.json`."""


class HubError(EvenmatchError):
    """The model hub cannot be used: no token, a bad repository id, a refusal, no connection."""

    code = "hub_error"
    title = "Model hub"


def is_repo_id(text: str) -> bool:
    """Is `text` an id as the hub spells it, OWNER/NAME or an old model's NAME?"""
    try:
        validate_repo_id(text)
    except HFValidationError:
        return False
    return True


def check_repo_id(repo_id: str) -> None:
    """Raise `HubError` unless `repo_id` is OWNER/NAME."""
    if not is_repo_id(repo_id) or "/" not in repo_id:
        raise HubError(
            f"{repo_id!r} is not a repository id: OWNER/NAME with letters, digits, '-', '_' and '.', "
            "at most 96 characters"
        )


def open_hub() -> HfApi:
    """The hub at HF_ENDPOINT with the user's token. Raises `HubError` if there is none."""
    token = get_token()
    if token is None:
        raise HubError("no token for the model hub: set HF_TOKEN or run `hf auth login`")
    return HfApi(token=token)


def push_folder(
    hub: HfApi, folder: Path, repo_id: str, *, private: bool, branch: str | None, commit_message: str
) -> str:
    """Upload `folder` in one commit, creating the repository and branch if need be; returns the commit's URL.

    Files of an older push, of either form, that are gone now are deleted; others are left alone.
    `private` creates a private repository, and refuses one that exists and is public. Raises `HubError`.
    """
    with _explained(f"pushing to {repo_id}", str(hub.token)):
        hub.create_repo(repo_id, private=True if private else None, exist_ok=True)
        if private and not hub.model_info(repo_id).private:
            raise HubError(
                f"{repo_id} exists already and is public: nothing was pushed. Make it private in its "
                "settings on the hub, or choose another --repo-id"
            )
        if branch is not None:
            hub.create_branch(repo_id, branch=branch, exist_ok=True)
        commit = hub.upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            revision=branch,
            commit_message=commit_message,
            delete_patterns=_REPLACED,
        )
    return str(commit.commit_url)


def pull_folder(repo_id: str, *, revision: str | None = None) -> Path:
    """Download a published bundle into the hub's own cache and return its folder. Raises `HubError`."""
    check_repo_id(repo_id)
    with _explained(f"downloading {repo_id}", get_token()):
        return Path(
            snapshot_download(
                repo_id, revision=revision, allow_patterns=["adapter_model.safetensors", "bundle/*"]
            )
        )


@contextmanager
def _explained(doing: str, token: str | None) -> Iterator[None]:
    try:
        yield
    # The client wraps what goes wrong in an upload in RuntimeError and ValueError.
    except (HTTPError, OSError, RuntimeError, ValueError) as error:
        message = f"{doing}: {_reason(error)}"
        raise HubError(message.replace(token, "***") if token else message) from None


def _reason(error: BaseException) -> str:
    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    for cause in causes:
        if isinstance(cause, OfflineModeIsEnabled):
            return "HF_HUB_OFFLINE is set, which forbids it"
        if isinstance(cause, HfHubHTTPError):
            return _refusal(cause)
        if isinstance(cause, HTTPError | OSError):
            return f"no connection to the hub at {constants.ENDPOINT} ({type(cause).__name__})"
    return f"{error} ({type(causes[-1]).__name__}: {causes[-1]})"


def _refusal(error: HfHubHTTPError) -> str:
    status = error.response.status_code
    unknown = "the hub has a problem, try again later" if status >= 500 else "refused"
    said = " ".join((error.server_message or "").split())[:300]
    return f"the hub answered {status}, {_REASONS.get(status, unknown)}" + (f" ({said})" if said else "")
