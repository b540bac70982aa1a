"""What the documentation repeats of the code: the OpenAPI document and the table of settings.

`python -m service.serving.reference` writes both into this checkout; tests compare them with the code.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from service.serving.app import create_app
from service.settings import Settings, all_settings

CHECKOUT = Path(__file__).resolve().parents[2]
OPENAPI_FILE = CHECKOUT / "docs" / "openapi.json"
README_FILE = CHECKOUT / "README.md"

_TABLE = re.compile(r"(<!-- settings: .*? -->\n).*?(<!-- end of settings -->)", re.DOTALL)


def openapi_text() -> str:
    """The OpenAPI document of the app with default settings, as committed."""
    return json.dumps(create_app(Settings()).openapi(), indent=2, ensure_ascii=False) + "\n"


def settings_table() -> str:
    """Markdown table of every environment variable, its default and its meaning."""
    rows = ["| variable | also | default | meaning |", "|---|---|---|---|"]
    for setting in all_settings():
        variable, *others = (f"`{name}`" for name in setting.names)
        field = setting.field
        rows.append(f"| {variable} | {', '.join(others)} | {_default(field)} | {_meaning(field)} |")
    return "\n".join(rows) + "\n"


def with_settings_table(readme: str) -> str:
    """`readme` with the table between its two markers made again."""
    return _TABLE.sub(lambda found: found[1] + settings_table() + found[2], readme)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None:
        return ""
    if value is PydanticUndefined or hasattr(value, "model_dump"):
        return "see there"
    return f"`{value}`" if str(value) else ""


def _meaning(field: FieldInfo) -> str:
    choices = get_args(field.annotation)
    named = ", ".join(f"`{c}`" for c in choices if isinstance(c, str))
    return f"{field.description} One of {named}." if named else str(field.description)


if __name__ == "__main__":
    OPENAPI_FILE.write_text(openapi_text(), "utf-8")
    README_FILE.write_text(with_settings_table(README_FILE.read_text("utf-8")), "utf-8")
