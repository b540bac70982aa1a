"""Bodies of `POST /v1/redact`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field

from service.api.schemas.base import Body, StopEarly
from service.api.schemas.files import DocumentOut, TextOrFile
from service.api.schemas.spans import SpansIn
from service.core.redaction.policy import Category
from service.core.resume_warnings import ResumeWarning

_EXAMPLE: dict[str, Any] = {
    "resume": "Jane Doe\njane.doe@example.com\n\nShe studied at Stanford University, class of 2012.\n"
    "Skills: Julia, Jenkins, Kafka"
}


class RedactRequest(TextOrFile):
    TEXT_FIELD: ClassVar = "resume"

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    resume: str = Field("", description="The resume's text.")
    categories: Annotated[list[Category], StopEarly()] | None = Field(
        None, description="What to hide; without it what the service hides when it scores."
    )
    spans: SpansIn = Field(
        default_factory=list,
        description="What else to hide, whatever `categories` says: a school or a name that was missed.",
    )


class RedactResponse(Body):
    text: str = Field(description="The resume as the model would read it.")
    redactions: dict[Category, int] = Field(description="How many spans were hidden, by category.")
    policy_version: int
    language: str = Field(description="ISO 639-1 code, or `und` if it cannot be told.")
    warnings: list[ResumeWarning] = Field(
        description="What to check by eye. Rules and word lists are made for English resumes in Latin script."
    )
    warning_counts: dict[ResumeWarning, int] = Field(
        description="For warnings that count something: characters, sentences or words (docs/redaction.md)."
    )
    document: DocumentOut | None = Field(None, description="What was read if it came as a document.")
