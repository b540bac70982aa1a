"""Options of commands that read groups from files: what labels mean, and what becomes of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import typer

from service.cli.console import EXIT_USAGE, fail
from service.core.group_labels import LabelOptions, UnknownLabels, values_given

GroupValues = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ATTRIBUTE.LABEL=GROUP",
        help="What a label in the file means, as sex.W=female; may be repeated (docs/groups.md).",
    ),
]
UnknownLabelsOption = Annotated[
    UnknownLabels, typer.Option(help="Labels that stand for no group: refuse the file, or count as unknown.")
]


def label_options(given: Sequence[str] | None, unknown_labels: UnknownLabels) -> LabelOptions:
    """What `--group-value` and `--unknown-labels` say; exits on nonsense."""
    values = values_given(given or ())
    if values is None:
        fail("--group-value takes ATTRIBUTE.LABEL=GROUP, as sex.W=female", EXIT_USAGE)
    return LabelOptions(values, unknown_labels)


def with_aliases(labels: LabelOptions, aliases: Mapping[str, Mapping[str, str]]) -> LabelOptions:
    """The same after the labels of EVENMATCH_GROUP_ALIASES: what is given for one file goes before them."""
    given = {name: dict(of_attribute) for name, of_attribute in aliases.items()}
    for name, of_attribute in labels.values.items():
        given[name] = {**given.get(name, {}), **of_attribute}
    return replace(labels, values=given)
