"""Options of `evenmatch report` for a file of decisions: its columns, and what its cells mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from service.cli.console import EXIT_USAGE, fail
from service.core.days import DateOrder
from service.core.decision_words import DecisionWords, words_given
from service.core.groups import GroupSchema
from service.files.repeated_candidates import OnDuplicates

DecisionColumn = Annotated[
    str | None, typer.Option(help="Column with the decision, if not the one that looks so.")
]
ScoreColumn = Annotated[
    str | None, typer.Option(help="Column with the score, if not the one that looks so; '' for none.")
]
TimeColumn = Annotated[
    str | None,
    typer.Option(help="Column with the decision's time, if not what looks so; '' for none."),
]
CandidateColumn = Annotated[
    str | None, typer.Option(help="Column with the candidate's id, to find repetitions; '' for none.")
]
JobColumn = Annotated[
    str | None, typer.Option(help="Column with the job's id, to find repetitions; '' for none.")
]
GroupColumns = Annotated[
    list[str] | None,
    typer.Option(help="An attribute's column, as sex=gender; `sex=` if there is none. May be repeated."),
]
SelectedValues = Annotated[
    list[str] | None,
    typer.Option(
        metavar="VALUE,...",
        help="What stands for selected, as Hired,Offer; every other value is then not selected.",
    ),
]
NotSelectedValues = Annotated[
    list[str] | None,
    typer.Option(metavar="VALUE,...", help="The same for those who were not; '' is an empty cell."),
]
LeftOutValues = Annotated[
    list[str] | None,
    typer.Option(metavar="VALUE,...", help="Decisions whose rows do not count, as Withdrawn,Pending."),
]
DateOrderOption = Annotated[
    DateOrder | None,
    typer.Option(help="Whether 3/4/2026 has the day first or the month; without it the column tells."),
]
DuplicatesOption = Annotated[
    OnDuplicates, typer.Option(help="The same candidate twice for one job: count both and say so, or refuse.")
]


def words_of(
    selected: Sequence[str] | None, not_selected: Sequence[str] | None, left_out: Sequence[str] | None
) -> DecisionWords:
    """What `--selected-values` and its like say."""
    return DecisionWords(*(words_given(given or ()) for given in (selected, not_selected, left_out)))


def group_columns(given: Sequence[str], schema: GroupSchema) -> dict[str, str | None]:
    """Attribute to column, or to None where there is none; exits on nonsense."""
    columns: dict[str, str | None] = {}
    for option in given:
        attribute, equals, column = option.partition("=")
        if not equals or attribute not in schema.attributes:
            fail(
                f"--group-column takes ATTRIBUTE=COLUMN; attributes are {', '.join(schema.attributes)}",
                EXIT_USAGE,
            )
        columns[attribute] = column or None
    return columns
