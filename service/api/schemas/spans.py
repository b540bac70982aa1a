"""Spans that a caller names: what stands in a resume and should be hidden, or changed, as some category."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, StringConstraints

from service.api.schemas.base import RequestBody
from service.core.redaction.given import CONTROL_CHARACTERS, LONGEST_GIVEN, MOST_GIVEN, GivenSpan
from service.core.redaction.policy import Category

SpanText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_GIVEN, pattern=rf"^[^{CONTROL_CHARACTERS}]*$"),
]


class SpanIn(RequestBody):
    category: Category = Field(description="What the text is.")
    text: SpanText = Field(
        description="As it stands in the resume, case and all; every place where it stands at borders of "
        "words is meant."
    )


SpansIn = Annotated[list[SpanIn], Field(max_length=MOST_GIVEN)]


def given_spans(spans: Sequence[SpanIn], field: str) -> tuple[GivenSpan, ...]:
    """The spans of the list at `field`, each with the path that an error names."""
    return tuple(GivenSpan(span.category, span.text, f"{field}[{i}].text") for i, span in enumerate(spans))
