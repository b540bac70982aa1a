"""Documents in requests, where a text may stand, and what answers say of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from service.api.schemas.base import Body, RequestBody
from service.core.blanks import is_blank
from service.files.documents.base64_content import decoded_content
from service.files.documents.kinds import DocumentKind
from service.files.documents.parsed import DocumentWarning, ParsedDocument

FileName = Annotated[str, StringConstraints(min_length=1, max_length=255)]


def _bytes(given: Any) -> Any:
    """Bytes come of `multipart/form-data`, a text of JSON."""
    if isinstance(given, str):
        try:
            return decoded_content(given)
        except ValueError:
            raise PydanticCustomError("base64", "not base64") from None
    return given


FileContent = Annotated[
    bytes, BeforeValidator(_bytes), WithJsonSchema({"type": "string", "contentEncoding": "base64"})
]


class FileIn(RequestBody):
    """A document, of the kind that its content says, whatever its name is."""

    model_config = ConfigDict(ser_json_bytes="base64")

    name: FileName = Field(description="Its name, which is not used for anything but errors of the caller.")
    content: FileContent = Field(description="Its bytes in base64.")

    @model_validator(mode="before")
    @classmethod
    def _no_name_alone(cls, given: Any) -> Any:
        if isinstance(given, str):
            raise PydanticCustomError(
                "file_not_sent",
                "the name of a file alone: send the file beside it as multipart/form-data, or give name and "
                "content",
            )
        return given

    def __repr__(self) -> str:
        return f"FileIn(bytes={len(self.content)})"  # names of files are often people's


class TextOrFile(RequestBody):
    """What has a text, or a document in its place. `TEXT_FIELD`: the field that holds the text."""

    TEXT_FIELD: ClassVar[str]

    file: FileIn | None = Field(
        None,
        description="A document in place of the text: PDF, DOCX, ODT, RTF, HTML, Markdown, text, JSON "
        "Resume, Europass or HR-Open XML. In multipart/form-data it is the name of a part `files`.",
    )

    @classmethod
    def optional(cls, given: dict[str, Any]) -> Collection[str]:
        """A text of blanks is an error of its own, unless a document stands in its place."""
        fields = super().optional(given)
        return fields if not is_blank(given.get("file")) else [one for one in fields if one != cls.TEXT_FIELD]

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        given = self.TEXT_FIELD in self.model_fields_set
        if given and self.file is not None:
            raise _at(
                self.TEXT_FIELD, PydanticCustomError("text_and_file", "either this or `file`, not both")
            )
        if not given and self.file is None:
            raise _at(self.TEXT_FIELD, "missing")
        return self

    @property
    def text(self) -> str:
        """The text. Empty before a document in its place is read."""
        return str(getattr(self, self.TEXT_FIELD))

    @property
    def source(self) -> str:
        """The field that it comes from."""
        return self.TEXT_FIELD if self.file is None else "file"

    def set_text(self, text: str) -> None:
        """Once the document is read."""
        setattr(self, self.TEXT_FIELD, text)

    @property
    def heading(self) -> str | None:
        """A line that stands beside the text, and may hold marks as it may."""
        return None

    def set_heading(self, text: str) -> None:
        """Once its marks are read."""


def _at(field: str, what: str | PydanticCustomError) -> ValidationError:
    """An error at a field, and not at all of the object."""
    details = InitErrorDetails(type=what, loc=(field,), input=None)
    return ValidationError.from_exception_data("body", [details], hide_input=True)


class DocumentOut(Body):
    """What was read of a document."""

    type: DocumentKind
    pages: int | None = Field(description="Null where a format has none before it is laid out.")
    characters: int
    warnings: dict[DocumentWarning, int] = Field(
        description="What to know of the reading, each with a count (docs/documents.md)."
    )

    @classmethod
    def of(cls, document: ParsedDocument) -> Self:
        return cls(
            type=document.kind,
            pages=document.pages,
            characters=document.characters,
            warnings=dict(document.warnings),
        )

    @classmethod
    def of_any(cls, document: ParsedDocument | None) -> Self | None:
        """None if a text was given."""
        return None if document is None else cls.of(document)


class DocumentRequest(RequestBody):
    file: FileIn = Field(description="The document; in multipart/form-data the part `file`.")


class DocumentText(DocumentOut):
    """A document with its text."""

    text: str = Field(description="What a reader sees of it, columns one after the other.")
