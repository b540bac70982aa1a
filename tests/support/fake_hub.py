"""A model hub on 127.0.0.1: as much of its HTTP interface as pushing and pulling a folder needs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_a_token_for_tests"
Files = dict[str, bytes]


@dataclass
class Repo:
    """`branches`: name -> files. `messages`: of its commits."""

    private: bool
    branches: dict[str, Files] = field(default_factory=lambda: {"main": {".gitattributes": b"*"}})
    messages: list[str] = field(default_factory=list)


@dataclass
class FakeHub:
    """What arrived, and what is answered instead of the truth.

    `refusals`: (method, part of the path) -> (status, message).
    """

    url: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    stored: Files = field(default_factory=dict)
    verified: list[str] = field(default_factory=list)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    refusals: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def sent(self, part: str) -> list[tuple[str, str, str | None]]:
        """Requests whose path holds `part`."""
        return [request for request in self.requests if part in request[1]]


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    """Serve a hub without any repository until the block is left."""
    hub = FakeHub()

    class Handler(_Handler):
        state = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _handle(self) -> None:
        path = unquote(urlsplit(self.path).path)
        body = self._read_body()
        self.state.requests.append((self.command, path, self.headers.get("authorization")))
        for (method, part), (status, message) in self.state.refusals.items():
            if method == self.command and part in path:
                return self._answer(status, {"error": message})
        for method, pattern, name in _ROUTES:
            found = re.fullmatch(pattern, path)
            if method == self.command and found:
                return getattr(self, name)(body, **found.groupdict())  # type: ignore[no-any-return]
        self._answer(404, {"error": f"the fake has no {self.command} {path}"})

    def _read_body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    do_GET = do_POST = do_PUT = do_HEAD = _handle

    def _answer(self, status: int, content: object, **headers: str) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _create(self, body: bytes) -> None:
        asked = json.loads(body)
        repo_id = f"{asked['organization']}/{asked['name']}"
        url = f"{self.state.url}/{repo_id}"
        if repo_id in self.state.repos:
            return self._answer(409, {"error": "You already created this model repo", "url": url})
        self.state.repos[repo_id] = Repo(private=asked.get("visibility") == "private")
        self._answer(200, {"url": url})

    def _info(self, body: bytes, repo: str, revision: str = "main") -> None:
        if repo not in self.state.repos or revision not in self.state.repos[repo].branches:
            return self._answer(404, {"error": "not found"}, X_Error_Code="RepoNotFound")
        found = self.state.repos[repo]
        files = [{"rfilename": path} for path in found.branches[revision]]
        self._answer(200, {"id": repo, "private": found.private, "sha": _commit(revision), "siblings": files})

    def _branch(self, body: bytes, repo: str, revision: str) -> None:
        branches = self.state.repos[repo].branches
        if revision in branches:
            return self._answer(409, {"error": "Reference already exists"})
        branches[revision] = dict(branches["main"])
        self._answer(200, {})

    def _tree(self, body: bytes, repo: str, revision: str) -> None:
        files = self._files(repo, revision)
        self._answer(
            200,
            [
                {"type": "file", "path": path, "size": len(data), "oid": _blob(data)}
                for path, data in files.items()
            ],
        )

    def _valid(self, body: bytes) -> None:
        ok = json.loads(body)["content"].startswith("---\n")
        self._answer(200 if ok else 400, {"errors": [], "warnings": []})

    def _preupload(self, body: bytes, repo: str, revision: str) -> None:
        answers = []
        for file in json.loads(body)["files"]:
            mode = "lfs" if file["path"].endswith(".safetensors") else "regular"
            answers.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False})
        self._answer(200, {"files": answers})

    def _batch(self, body: bytes, repo: str) -> None:
        url = self.state.url
        objects = [
            {
                "oid": one["oid"],
                "size": one["size"],
                "actions": {
                    "upload": {"href": f"{url}/storage/{one['oid']}"},
                    "verify": {"href": f"{url}/verify/{repo}"},
                },
            }
            for one in json.loads(body)["objects"]
        ]
        self._answer(200, {"transfer": "basic", "objects": objects})

    def _store(self, body: bytes, oid: str) -> None:
        if hashlib.sha256(body).hexdigest() != oid:
            return self._answer(400, {"error": "another content"})
        self.state.stored[oid] = body
        self._answer(200, {})

    def _verify(self, body: bytes, repo: str) -> None:
        self.state.verified.append(json.loads(body)["oid"])
        self._answer(200, {})

    def _take_commit(self, body: bytes, repo: str, revision: str) -> None:
        files = self._files(repo, revision)
        for line in body.splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "header":
                self.state.repos[repo].messages.append(value["summary"])
            elif item["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "lfsFile":
                files[value["path"]] = self.state.stored[value["oid"]]
            elif item["key"] == "deletedFile":
                del files[value["path"]]
        commit = _commit(revision)
        url = f"{self.state.url}/{repo}/commit/{commit}"
        self._answer(200, {"commitUrl": url, "commitOid": commit, "pullRequestUrl": None})

    def _resolve(self, body: bytes, repo: str, revision: str, path: str) -> None:
        data = self._files(repo, revision)[path]
        self._answer(200, data, ETag=f'"{_blob(data)}"', X_Repo_Commit=revision)

    def _files(self, repo: str, revision: str) -> Files:
        """`revision` is a branch or its commit; one commit a branch is enough here."""
        branches = self.state.repos[repo].branches
        return branches.get(revision) or {_commit(name): files for name, files in branches.items()}[revision]


def _commit(branch: str) -> str:
    return hashlib.sha1(branch.encode()).hexdigest()


def _blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


_REPO = r"(?P<repo>[^/]+/[^/]+)"
_REVISION = r"(?P<revision>.+)"
_ROUTES = [
    ("POST", "/api/repos/create", "_create"),
    ("GET", rf"/api/models/{_REPO}/revision/{_REVISION}", "_info"),
    ("GET", rf"/api/models/{_REPO}", "_info"),
    ("POST", rf"/api/models/{_REPO}/branch/{_REVISION}", "_branch"),
    ("GET", rf"/api/models/{_REPO}/tree/{_REVISION}", "_tree"),
    ("POST", "/api/validate-yaml", "_valid"),
    ("POST", rf"/api/models/{_REPO}/preupload/{_REVISION}", "_preupload"),
    ("POST", rf"/{_REPO}\.git/info/lfs/objects/batch", "_batch"),
    ("PUT", "/storage/(?P<oid>[0-9a-f]{64})", "_store"),
    ("POST", rf"/verify/{_REPO}", "_verify"),
    ("POST", rf"/api/models/{_REPO}/commit/{_REVISION}", "_take_commit"),
    ("GET", rf"/{_REPO}/resolve/(?P<revision>[0-9a-f]{{40}})/(?P<path>.+)", "_resolve"),
    ("HEAD", rf"/{_REPO}/resolve/(?P<revision>[0-9a-f]{{40}})/(?P<path>.+)", "_resolve"),
]
