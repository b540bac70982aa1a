"""Options of the commands that read a user's data: where it is, and what its columns mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from training.config import DataConfig

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
) -> DataConfig:
    """What to read: the data of a run's configuration, or the data file with these columns."""
    from training.config import DataConfig, read_run_config
    from training.data.user_data import ColumnMapping, UserDataConfig

    if config is not None:
        return read_run_config(config).data
    columns = ColumnMapping(
        resume=resume, job=job, label=label, title=title, groups={name: name for name in groups or []}
    )
    return DataConfig(files=UserDataConfig(file=data, columns=columns))
