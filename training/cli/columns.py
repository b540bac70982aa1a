"""Options of the commands that read a user's data: where it is, and what its columns mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from service.core.group_labels import values_given

if TYPE_CHECKING:
    from training.config import DataConfig

ResumeColumn = Annotated[
    str | None, typer.Option(help="With --data; without it `resume`, or the column that looks so.")
]
JobColumn = Annotated[
    str | None, typer.Option(help="With --data; without it `job`, or the column that looks so.")
]
LabelColumn = Annotated[
    str | None, typer.Option(help="With --data; without it `label`, or the column that looks so.")
]
TitleColumn = Annotated[str | None, typer.Option(help="With --data; the job's title.")]
GroupColumns = Annotated[
    list[str] | None,
    typer.Option("--group-column", help="With --data; an attribute's column, again for each."),
]


GroupValues = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ATTRIBUTE.LABEL=GROUP",
        help="With --data; what a label means, as sex.W=female; may be repeated (docs/groups.md).",
    ),
]
UnknownLabelsOption = Annotated[
    Literal["keep", "refuse", "unknown"],
    typer.Option(help="With --data; labels of sex and race that stand for no group: keep them as groups."),
]


def check_one_source(data: Path | None, config: Path | None) -> None:
    """Wrong usage if both are given."""
    if data is not None and config is not None:
        raise typer.BadParameter("give --data or --config, not both")


def wanted_data(
    data: Path | None,
    config: Path | None,
    *,
    resume: str | None,
    job: str | None,
    label: str | None,
    title: str | None,
    groups: list[str] | None,
    group_values: list[str] | None,
    unknown_labels: Literal["keep", "refuse", "unknown"],
) -> DataConfig:
    """What to read: the data of a run's configuration, or the data file with these columns."""
    from training.config import DataConfig, read_run_config
    from training.data.user_data_config import ColumnMapping, UserDataConfig

    if config is not None:
        return read_run_config(config).data
    values = values_given(group_values or ())
    if values is None:
        raise typer.BadParameter("--group-value takes ATTRIBUTE.LABEL=GROUP, as sex.W=female")
    given = {"resume": resume, "job": job, "label": label}
    columns = ColumnMapping(
        title=title,
        groups={name: name for name in groups or []},
        **{name: column for name, column in given.items() if column is not None},
    )
    return DataConfig(
        files=UserDataConfig(file=data, columns=columns, group_values=values, unknown_labels=unknown_labels)
    )
