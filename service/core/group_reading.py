"""Groups as clients send them -> groups of the schema: `{"Gender": "Decline To Self Identify"}`.

Attributes and labels are read by the same table as those of files (`service.core.group_labels`), after the
aliases that are configured. What stands for no group is refused, or counted as unknown and said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service.core.column_names import GROUP_NAMES, key_of
from service.core.errors import ErrorCollector, UnknownGroupError
from service.core.group_labels import UnknownLabels, group_of_label, known_labels
from service.core.groups import UNKNOWN, GroupSchema

Aliases = Mapping[str, Mapping[str, str]]
"""Attribute to label to group."""

OTHER = "other"
"""Stands for an attribute that the schema has not: its name is the caller's and is not repeated."""


@dataclass(frozen=True, slots=True)
class ReadGroups:
    """`groups`: by attribute. `unknown`: attributes whose label stands for no group, and `OTHER`."""

    groups: dict[str, str]
    unknown: tuple[str, ...] = ()


class GroupReader:
    """`aliases`: labels of attributes before the table. `unknown_labels`: what becomes of all others.

    Raises `UnknownGroupError` for aliases that name an attribute or group outside the schema.
    """

    def __init__(
        self, schema: GroupSchema, aliases: Aliases | None = None, unknown_labels: UnknownLabels = "refuse"
    ) -> None:
        check_aliases(aliases or {}, schema)
        self.attributes = schema.attributes
        self._refuse = unknown_labels == "refuse"
        self._names: dict[str, str] = {}
        for attribute in schema.attributes:  # whose own names go before further ones
            names = (name for tier in GROUP_NAMES.get(attribute, ()) for name in tier)
            self._names |= {key_of(name): attribute for name in names}
        self._names |= {key_of(attribute): attribute for attribute in schema.attributes}
        self._labels = {
            attribute: known_labels(groups, (aliases or {}).get(attribute))
            for attribute, groups in schema.attributes.items()
        }

    def attribute(self, name: str) -> str | None:
        """The attribute that a name means; None if the schema has none of it."""
        return self._names.get(key_of(name))

    def read(self, given: Mapping[str, str], *, field: str) -> ReadGroups:
        """The groups; blank labels are left out.

        Raises `UnknownGroupError`, or `InputErrors` of several, for every attribute and label that is not
        known, unless they are to be counted as unknown; and for an attribute that is given twice. Messages
        list what is allowed and never repeat what came in, which may be a name.
        """
        groups: dict[str, str] = {}
        unknown: list[str] = []
        errors = ErrorCollector()
        for name, label in given.items():
            with errors:
                attribute = self.attribute(name)
                if attribute is None:
                    if self._refuse:
                        known = ", ".join(self.attributes)
                        raise UnknownGroupError(
                            f"{field} has an unknown attribute; known are {known}", field=field
                        )
                    unknown.append(OTHER)
                    continue
                if attribute in groups:
                    raise UnknownGroupError(
                        f"{field} has the attribute {attribute} twice, by two of its names", field=field
                    )
                groups[attribute] = self._group(attribute, label, f"{field}.{attribute}", unknown)
        errors.raise_any()
        return ReadGroups(groups, tuple(dict.fromkeys(unknown)))

    def _group(self, attribute: str, label: str, field: str, unknown: list[str]) -> str:
        group = group_of_label(label, self._labels[attribute])
        if group is not None:
            return group
        if self._refuse:
            allowed = ", ".join((*self.attributes[attribute], UNKNOWN))
            raise UnknownGroupError(
                f"{field} is not one of {allowed}, nor a label that stands for one of them (docs/groups.md)",
                field=field,
            )
        unknown.append(attribute)
        return UNKNOWN


def check_aliases(aliases: Aliases, schema: GroupSchema) -> None:
    """Raise `UnknownGroupError` for an attribute or a group that the schema has not."""
    for attribute, labels in aliases.items():
        if attribute not in schema.attributes:
            raise UnknownGroupError(
                f"an alias is for the attribute {attribute!r}; the schema has {', '.join(schema.attributes)}"
            )
        allowed = (*schema.attributes[attribute], UNKNOWN)
        for group in labels.values():
            if group not in allowed:
                raise UnknownGroupError(
                    f"an alias of {attribute} stands for {group!r}; the groups are {', '.join(allowed)}"
                )
