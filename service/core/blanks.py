"""What says nothing: clients write an option that is not set as null or as ""."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


def without_blanks(given: dict[str, Any], optional: Collection[str]) -> dict[str, Any]:
    """Return `given` without those of the fields that are null, or a text without a visible character.

    Integrations write an option that is not set as null or as "".
    """
    blank = [name for name in given.keys() & optional if is_blank(given[name])]
    return {name: value for name, value in given.items() if name not in blank} if blank else given


def is_blank(value: Any) -> bool:
    """Whether it means that nothing is given."""
    return value is None or (isinstance(value, str) and not value.strip())
