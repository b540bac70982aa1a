"""What all bodies share: unknown fields and wrong types are errors, never guessed at.

What is wrong with a request is told field by field, but not without end: the errors of a million items would
take gigabytes, and hold up everybody else meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    FailFast,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from service.core.blanks import without_blanks

# PostgreSQL cannot keep a null character.
ClientId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]

MAX_METADATA_BYTES = 16 * 1024
MAX_METADATA_DEPTH = 32
"""Objects and lists within one another. pydantic writes 255 of them, and would fail when all is decided."""

MAX_FIELDS = 32
"""No object of a request has so many fields; in a larger one none is looked at."""

UNION_MEMBER = "|"
"""How the tag of a union's member begins: no part of a field's path."""

MANY_ITEMS = 1_000
"""In a longer list the first item at fault ends the check."""

_STRICT = ConfigDict(strict=True, hide_input_in_errors=True)


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", **_STRICT)


class ReadBody(Body):
    """A part of an answer that is read from the attributes of a result."""

    model_config = ConfigDict(from_attributes=True)


class RequestBody(Body):
    """A body, or a part of one, that comes in."""

    @model_validator(mode="before")
    @classmethod
    def _few_fields(cls, given: Any) -> Any:
        given = few_fields(given)
        return without_blanks(given, cls.optional(given)) if isinstance(given, dict) else given

    @classmethod
    def optional(cls, given: dict[str, Any]) -> Collection[str]:
        """Fields of an object that comes in which mean nothing where they are blank."""
        return _optional(cls)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Say that they may be null. A blank text as well would make each a union for typed clients."""
        described = handler(schema)
        body = handler.resolve_ref_schema(described)
        for name, field in body.get("properties", {}).items():
            if name not in body.get("required", ()):
                body["properties"][name] = _or_null(field)
        return described


def few_fields(given: Any, most: int = MAX_FIELDS) -> Any:
    """Return `given`; refuse an object with more than `most` fields before any of them is looked at."""
    if isinstance(given, dict) and len(given) > most:
        raise PydanticCustomError(
            "too_many_fields",
            "{actual_length} fields; at most {max_length} are allowed",
            {"actual_length": len(given), "max_length": most},
        )
    return given


def _or_null(field: JsonSchemaValue) -> JsonSchemaValue:
    if any(one.get("type") == "null" for one in field.get("anyOf", ())):
        return field
    about: JsonSchemaValue = {
        name: field[name] for name in ("title", "description", "default", "examples") if name in field
    }
    kind = {name: value for name, value in field.items() if name not in about}
    kinds = kind["anyOf"] if kind.keys() == {"anyOf"} else [kind]
    return {"anyOf": [*kinds, {"type": "null"}], **about}


@cache
def _optional(model: type[BaseModel]) -> frozenset[str]:
    fields = {name: field for name, field in model.model_fields.items() if not field.is_required()}
    return frozenset({*fields, *(field.alias for field in fields.values() if field.alias)})


def _small_object(given: dict[str, Any]) -> dict[str, Any]:
    if _is_deeper(given, MAX_METADATA_DEPTH):
        raise PydanticCustomError(
            "too_deep",
            "objects and lists stand deeper within one another than {limit} levels",
            {"limit": MAX_METADATA_DEPTH},
        )
    try:
        size = len(json.dumps(given, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode())
    except ValueError as error:
        if not isinstance(error, UnicodeEncodeError):
            raise PydanticCustomError("no_number", "a number in it is too large to be one") from None
        raise PydanticCustomError("half_character", "half a character, as \\ud800, is in it") from None
    if size > MAX_METADATA_BYTES:
        raise PydanticCustomError(
            "too_large",
            "{size} bytes as JSON; the limit is {limit}",
            {"size": f"{size:,}", "limit": f"{MAX_METADATA_BYTES:,}"},
        )
    return given


def _is_deeper(given: Any, most: int) -> bool:
    level = [given]
    for _ in range(most):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return any(isinstance(one, dict | list) for one in level)


Metadata = Annotated[dict[str, Any], AfterValidator(_small_object)]
"""A caller's own data: given back, and kept nowhere."""


@dataclass(frozen=True, slots=True)
class StopEarly:
    """Of a list of more than `after` items only the first item at fault is reported."""

    after: int = MANY_ITEMS

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        first_fault = TypeAdapter(Annotated[source, FailFast()], config=_STRICT)

        def validate(given: Any, every_fault: ValidatorFunctionWrapHandler) -> Any:
            if isinstance(given, list) and len(given) > self.after:
                return first_fault.validate_python(given)
            return every_fault(given)

        return core_schema.no_info_wrap_validator_function(validate, handler(source))
