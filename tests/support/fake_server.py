"""The real app on the fake engine, in a process of its own: to be killed.

Its arguments are BUNDLE and TOKENIZER; settings come from the environment. Says `listening on PORT` on stdout
when it answers, and nothing on stderr.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import uvicorn

from service.core.bundle import read_bundle
from service.core.engines.loading import LoadedModel
from service.core.tokenization import TextTokenizer
from service.runtime.devices import EngineChoice
from service.runtime.runtime import Runtime
from service.serving.app import create_app, create_metrics
from service.settings import Settings
from tests.support.fakes import FakeEngine


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        sys.stdout.write(f"listening on {port}\n")
        sys.stdout.flush()


def main() -> None:
    bundle_folder, tokenizer = map(Path, sys.argv[1:])
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    settings = Settings(model={"bundle": str(bundle_folder)})
    bundle = read_bundle(bundle_folder)
    metrics = create_metrics(settings)
    runtime = Runtime(
        bundle,
        LoadedModel(FakeEngine(), TextTokenizer.load(tokenizer, bundle.manifest)),
        EngineChoice("openvino", "cpu", "a fake, for tests"),
        settings.runtime,
        reload=FakeEngine,
        observer=metrics,
    )
    app = create_app(settings, runtime=runtime, metrics=metrics)
    _Server(uvicorn.Config(app, port=0, log_config=None, access_log=False)).run()
