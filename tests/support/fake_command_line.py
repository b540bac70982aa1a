"""`evenmatch` on the fake engine, in this process or in one of its own, to be killed.

EVENMATCH_BUNDLE names a bundle, TEST_TOKENIZER its tokenizer; TEST_SECONDS_A_BATCH slows the engine down.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from service.cli import console
from service.core.bundle import read_bundle
from service.core.engines.loading import LoadedModel
from service.core.tokenization import TextTokenizer
from service.runtime.devices import EngineChoice
from service.runtime.observer import RuntimeObserver
from service.runtime.options import RuntimeOptions
from service.runtime.runtime import Runtime
from tests.support.fakes import FakeEngine


def load_fake_runtime(options: RuntimeOptions, engine: FakeEngine | None = None) -> Runtime:
    """What `load_runtime` does, with the fake engine."""
    bundle = read_bundle(options.model.bundle_path)
    seconds = float(os.environ.get("TEST_SECONDS_A_BATCH", "0"))
    tokenizer = TextTokenizer.load(Path(os.environ["TEST_TOKENIZER"]), bundle.manifest)
    return Runtime(
        bundle,
        LoadedModel(engine or FakeEngine(lambda _: time.sleep(seconds)), tokenizer),
        EngineChoice("openvino", "cpu", "a fake, for tests"),
        options,
        reload=FakeEngine,
        observer=RuntimeObserver(),
    )


def fake_command_line() -> None:
    """`evenmatch` with a fake engine; for a process of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(console, "load_runtime", load_fake_runtime)
        from service.cli import main

        main()
