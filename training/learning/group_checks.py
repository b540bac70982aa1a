"""What the groups of a split must be for the options that go by them, checked before a text is read."""

from __future__ import annotations

from collections.abc import Sequence

from service.core.errors import InputError
from training.data.example import Example
from training.learning.batches import SamplingConfig


def check_groups(examples: Sequence[Example], config: SamplingConfig) -> None:
    """Raise an `InputError` that names the key, if the training split lacks the groups that it needs.

    `sampling.balance_by` and `sampling.reweighing` need two groups of each attribute that they name.
    """
    found: dict[str, set[str]] = {}
    for example in examples:
        for attribute, group in example.groups.items():
            found.setdefault(attribute, set()).add(group)
    if config.balance_by is not None:
        _check("sampling.balance_by", config.balance_by, found)
    if config.reweighing.method != "none":
        field = "sampling.reweighing"
        if not found:
            raise InputError(f"{field}: the training split names nobody's groups", field=field)
        for attribute in config.reweighing.attributes or sorted(found):
            _check(f"{field}.attributes", attribute, found)


def _check(field: str, attribute: str, found: dict[str, set[str]]) -> None:
    groups = found.get(attribute, set())
    if not groups:
        others = f"it has those of {', '.join(sorted(found))}" if found else "it has none at all"
        raise InputError(f"{field}: the training split names no groups of {attribute}; {others}", field=field)
    if len(groups) == 1:
        raise InputError(
            f"{field}: the training split has one group of {attribute} only ({next(iter(groups))}); two or "
            "more are needed",
            field=field,
            limit=2,
            actual=1,
        )
