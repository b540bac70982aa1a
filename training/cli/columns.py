"""The options by which commands are told where a user's data is and what its columns mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.data.user_data import ColumnMapping, UserDataConfig, read_user_data_config

ResumeColumn = Annotated[str, typer.Option(help="With --data.")]
JobColumn = Annotated[str, typer.Option(help="With --data.")]
LabelColumn = Annotated[str, typer.Option(help="With --data.")]
TitleColumn = Annotated[str | None, typer.Option(help="With --data; the job's title.")]
GroupColumns = Annotated[
    list[str] | None,
    typer.Option("--group-column", help="With --data; an attribute's column, again for each."),
]


def check_one_source(data: Path | None, config: Path | None) -> None:
    """Wrong usage if both are given."""
    if data is not None and config is not None:
        raise typer.BadParameter("give --data or --config, not both")


def wanted_data(
    data: Path | None,
    config: Path | None,
    *,
    resume: str,
    job: str,
    label: str,
    title: str | None,
    groups: list[str] | None,
) -> UserDataConfig:
    """What to read: the configuration file, or the data file with these columns."""
    if config is not None:
        return read_user_data_config(config)
    columns = ColumnMapping(
        resume=resume, job=job, label=label, title=title, groups={name: name for name in groups or []}
    )
    return UserDataConfig(file=data, columns=columns)
