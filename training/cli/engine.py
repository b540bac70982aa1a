"""The engine that commands evaluate bundles with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.core.bundle import Bundle
    from service.core.engines.loading import LoadedModel


def load_reference(bundle: Bundle) -> LoadedModel:
    """The reference engine, torch in f32: it converts nothing and caches nothing."""
    from service.core.encoder import silence_transformers
    from service.core.engines.loading import EngineOptions, load_model
    from service.core.engines.torch_engine import available_device

    silence_transformers()
    options = EngineOptions(
        "torch", available_device(), threads=os.cpu_count() or 1, cache=Path(), precision="f32"
    )
    return load_model(bundle, options)
