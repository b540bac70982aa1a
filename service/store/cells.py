"""The groups of a decision as text, the same text for the same groups."""

from __future__ import annotations

import json
from collections.abc import Mapping

from service.core.groups import UNKNOWN


def cell_text(groups: Mapping[str, str]) -> str:
    """JSON with sorted keys; `unknown` is left out, as is what nobody said."""
    said = {attribute: group for attribute, group in groups.items() if group != UNKNOWN}
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


def cell_groups(text: str) -> dict[str, str]:
    """The groups that `text` says."""
    groups: dict[str, str] = json.loads(text)
    return groups
