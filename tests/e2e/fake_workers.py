"""`evenmatch serve`, with one process or several, on the fake engine: starts in a second, needs no weights.

Run as `python -m tests.e2e.fake_workers`; settings come from the environment as for `evenmatch serve`.
"""

from __future__ import annotations

import logging
import os
import time
import warnings
from pathlib import Path
from typing import Any

from service.cli.console import exit_codes
from service.core.bundle import read_bundle
from service.core.engines.loading import LoadedModel
from service.core.errors import EngineError
from service.core.matching import TokenizedResume
from service.core.tokenization import TextTokenizer
from service.logs import log_to_stderr
from service.runtime.devices import EngineChoice
from service.runtime.observer import RuntimeObserver
from service.runtime.options import RuntimeOptions
from service.runtime.runtime import Runtime
from service.serving.listener import raise_descriptor_limit
from service.serving.process import Assignment, serve, serve_alone
from service.serving.supervisor import Supervisor
from service.settings import Settings
from tests.support.fakes import FakeEngine

log = logging.getLogger(__name__)


def exists(variable: str) -> bool:
    """Whether the file that an environment variable names is there."""
    return Path(os.environ.get(variable, "/-")).exists()


def hold(_: object) -> None:
    """Keep an engine call from returning."""
    time.sleep(float(os.environ.get("FAKE_SECONDS", "0")))
    while exists("FAKE_HELD"):
        time.sleep(0.05)


def load(options: RuntimeOptions, observer: RuntimeObserver) -> Runtime:
    """The runtime that `load_runtime` makes, but for its engine.

    Fails while FAKE_BROKEN names a file, waits while FAKE_LOADING does; engine calls take FAKE_SECONDS, and
    hang while FAKE_HELD names a file. A resume with the word FAKE_BUG in it meets a bug, which quotes it.
    """
    if exists("FAKE_LOADING"):
        log.warning("the fake engine waits")
    while exists("FAKE_LOADING"):
        time.sleep(0.05)
    if exists("FAKE_BROKEN"):
        raise EngineError("the fake engine is broken")
    bundle = read_bundle(options.model.bundle_path)
    tokenizer = TextTokenizer.load(Path(bundle.manifest.base_model.id) / "tokenizer.json", bundle.manifest)
    runtime = Runtime(
        bundle,
        LoadedModel(FakeEngine(hold), tokenizer),
        EngineChoice("openvino", "cpu", f"a fake, for tests, on {options.model.threads} threads"),
        options,
        reload=FakeEngine,
        observer=observer,
    )
    if bug := os.environ.get("FAKE_BUG"):
        plant(runtime, bug)
    return runtime


def plant(runtime: Runtime, bug: str) -> None:
    """Let a resume with this word raise what nobody expects, with the whole text in its message."""
    tokenize = runtime.matcher.tokenize_resume

    def tokenize_or_fail(text: str, **options: Any) -> TokenizedResume:
        if bug in text:
            warnings.warn(f"odd: {text}", stacklevel=2)
            raise KeyError(text)
        return tokenize(text, **options)

    runtime.matcher.tokenize_resume = tokenize_or_fail  # type: ignore[method-assign]


def work(assignment: Assignment) -> None:
    """What each process does."""
    serve(assignment, load)


def main() -> None:
    """Serve until a signal comes."""
    settings = Settings()
    log_to_stderr(settings.server.log_level, settings.server.log_format)
    with exit_codes():
        raise_descriptor_limit()
        if settings.server.workers > 1:
            Supervisor(settings, work).run()
        else:
            serve_alone(settings, load)


if __name__ == "__main__":
    main()
