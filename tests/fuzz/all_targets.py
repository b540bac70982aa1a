"""Every target by its name."""

from __future__ import annotations

from tests.fuzz import documents, records, texts

TARGETS = {**documents.TARGETS, **texts.TARGETS, **records.TARGETS}
