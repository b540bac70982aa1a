"""Every key of a training configuration, from the classes that check it (docs/training-config.md)."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined


@dataclass(frozen=True, slots=True)
class ConfigKey:
    """One key: its `path` ("trainer.epochs"), what it takes, its default as YAML has it, and its meaning.

    `default` is None where the key must be given.
    """

    path: str
    takes: str
    default: str | None
    meaning: str


def config_keys(
    model: type[BaseModel], prefix: str = "", defaults: BaseModel | None = None
) -> Iterator[ConfigKey]:
    """Every key that holds a value, in the order of the classes. `defaults`: those of the section."""
    properties = model.model_json_schema()["properties"]
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        default = getattr(defaults, name) if defaults is not None else field.default
        part = _part_of(field.annotation)
        if part is not None:
            inside = f"{path}.ATTRIBUTE." if get_origin(field.annotation) is dict else f"{path}."
            yield from config_keys(part, inside, default if isinstance(default, BaseModel) else None)
            continue
        yield ConfigKey(path, _takes(properties[name]), _yaml(default), field.description or "")


def config_schema(model: type[BaseModel]) -> str:
    """The JSON Schema of a configuration, for editors that check YAML as it is written."""
    schema = model.model_json_schema()
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"


def nearest_key(whole: type[BaseModel], loc: Sequence[int | str]) -> str | None:
    """The key that may be meant by one that is unknown, at the same place or anywhere."""
    *inside, name = (str(part) for part in loc)
    model: type[BaseModel] | None = whole
    for part in inside:
        model = (
            _part_of(model.model_fields[part].annotation) if model and part in model.model_fields else None
        )
    here = list(model.model_fields) if model else []
    close = difflib.get_close_matches(name, here, n=1)
    if close:
        return ".".join((*inside, *close))
    keys = {key.path: key.path.rpartition(".")[2] for key in config_keys(whole)}
    elsewhere = [path for path, last in keys.items() if last == name]
    return elsewhere[0] if len(elsewhere) == 1 else None


def _part_of(annotation: Any) -> type[BaseModel] | None:
    """The class of a section, or of each section of a mapping; None for a value."""
    for one in (annotation, *get_args(annotation)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


def _takes(schema: Mapping[str, Any]) -> str:
    """The type and range of a value, in words."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_takes(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kind = schema.get("type")
    if kind == "array":
        if "prefixItems" in schema:
            return f"[{', '.join(_takes(one) for one in schema['prefixItems'])}]"
        return f"list of {_takes(schema.get('items', {}))}"
    words = {
        "integer": "whole number",
        "number": "number",
        "string": "text",
        "boolean": "true or false",
        "object": "mapping",
        "null": "null",
    }
    return words.get(str(kind), "mapping") + _range(schema)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _range(schema: Mapping[str, Any]) -> str:
    parts = [
        f"{sign} {_number(schema[name])}"
        for name, sign in (
            ("minimum", ">="),
            ("exclusiveMinimum", ">"),
            ("maximum", "<="),
            ("exclusiveMaximum", "<"),
        )
        if name in schema
    ]
    return f" {', '.join(parts)}" if parts else ""


def _yaml(value: Any) -> str | None:
    """As it would stand in a file; None if there is no default."""
    if value is PydanticUndefined:
        return None
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(list(value) if isinstance(value, tuple) else value).strip('"')
