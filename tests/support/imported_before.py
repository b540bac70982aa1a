"""What programs of this project import, for `tests.support.forked`; not the command line itself, which reads
the environment when it is imported.
"""

from __future__ import annotations

import alembic.command
import scipy.stats
import typer
import uvicorn

import service.runtime.runtime
import service.serving.app
from service.core.redaction.lexicon import load_lexicon

__all__ = ["alembic", "scipy", "service", "typer", "uvicorn"]

load_lexicon()
