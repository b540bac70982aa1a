"""Makes the parts of the documentation that repeat the code (`make docs`); tests compare them with it.

`openapi.json`; the table of settings in README.md; the keys of a training configuration, as a page and as a
JSON Schema; for the architecture a picture of the floors, as
import-linter keeps them (pyproject.toml), and a table of rooms, each with the summary of its docstring.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

from jinja2 import Template
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from service.serving.app import create_app
from service.settings import Settings, all_settings
from training.config import RunConfig
from training.config_reference import config_keys, config_schema

CHECKOUT = Path(__file__).resolve().parents[1]
PICTURE = CHECKOUT / "docs" / "architecture.svg"
PAGE = CHECKOUT / "docs" / "architecture.md"
OPENAPI_FILE = CHECKOUT / "docs" / "openapi.json"
README_FILE = CHECKOUT / "README.md"
TRAINING_KEYS = CHECKOUT / "docs" / "training-config.md"
TRAINING_SCHEMA = CHECKOUT / "docs" / "training-config.schema.json"

_ROOMS = re.compile(r"(<!-- rooms: .*? -->\n).*?(<!-- end of rooms -->)", re.DOTALL)
_SETTINGS = re.compile(r"(<!-- settings: .*? -->\n).*?(<!-- end of settings -->)", re.DOTALL)
_KEYS = re.compile(r"(<!-- keys: .*? -->\n).*?(<!-- end of keys -->)", re.DOTALL)
_SVG = Template(
    """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ width }} {{ height }}"
  font-family="Helvetica, Arial, sans-serif" font-size="14">
  <style>
    .floor{fill:#eef3f4;stroke:#b7c6c9} .room{fill:#fff;stroke:#455;stroke-width:1.3}
    .name{fill:#123;font-weight:bold} .note{fill:#344;font-size:12.5px}
  </style>
  <rect width="{{ width }}" height="{{ height }}" fill="#fff"/>
{% for floor in floors %}
  <rect class="floor" x="10" y="{{ floor.y }}" width="{{ floor.width }}" height="44" rx="6"/>
{% for room in floor.rooms %}
  <rect class="room" rx="4" x="{{ room.x }}" y="{{ floor.y + 7 }}"
    width="{{ room.width }}" height="{{ room.height }}"/>
  <text class="name" text-anchor="middle"
    x="{{ room.x + room.width / 2 }}" y="{{ floor.y + 12 + room.height / 2 }}">
    {{- room.name -}}
  </text>
{% endfor %}
{% endfor %}
{% for line in notes %}
  <text class="note" x="10" y="{{ note_y + 18 * loop.index0 }}">{{ line }}</text>
{% endfor %}
</svg>
""",
    trim_blocks=True,
    lstrip_blocks=True,
)

_FLOOR_HEIGHT = 54
_SERVICE_WIDTH = 560
_TRAINING_WIDTH = 210


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
    return _SETTINGS.sub(lambda found: found[1] + settings_table() + found[2], readme)


def training_keys(page: str) -> str:
    """`page` with a table for each section of the configuration made again."""
    sections: dict[str, list[str]] = {}
    for key in config_keys(RunConfig):
        section, _, name = key.path.rpartition(".")
        default = "**required**" if key.default is None else f"`{key.default}`" if key.default else "empty"
        rows = sections.setdefault(section, [])
        rows.append(f"| `{name}` | {key.takes} | {default} | {key.meaning} |")
    table = ["| key | takes | default | what it does |", "|---|---|---|---|"]
    parts = [
        "\n".join([*([f"## `{section}`", ""] if section else []), *table, *rows, ""])
        for section, rows in sections.items()
    ]
    return _KEYS.sub(lambda found: found[1] + "\n".join(parts) + found[2], page)


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


def floors() -> list[list[str]]:
    """The rooms of `service`, floor by floor from the top; what stands above may import what is below."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
    layers = next(
        contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    return [[name.strip().removeprefix("service.") for name in layer.split("|")] for layer in layers]


def picture() -> str:
    """The floors of the service as SVG; the core carries training, too."""
    levels = floors()
    drawn: list[dict[str, Any]] = []
    for level, names in enumerate(levels):
        whole = _SERVICE_WIDTH if level < len(levels) - 1 else _SERVICE_WIDTH + _TRAINING_WIDTH
        width = (whole - 10 * (len(names) + 1)) / len(names)
        rooms = [
            {"name": name, "x": round(20 + i * (width + 10), 1), "width": round(width, 1), "height": 30}
            for i, name in enumerate(names)
        ]
        drawn.append({"y": 10 + level * _FLOOR_HEIGHT, "width": whole, "rooms": rooms})
    beside = {"name": "training", "x": _SERVICE_WIDTH + 20, "width": _TRAINING_WIDTH - 20}
    drawn[0]["rooms"] = [*drawn[0]["rooms"], {**beside, "height": (len(levels) - 1) * _FLOOR_HEIGHT - 24}]
    note_y = 10 + len(drawn) * _FLOOR_HEIGHT + 12
    notes = [
        "A floor imports what lies below it, nothing above it; rooms of one floor do not import each other.",
        "training imports core only. evenmatch stands above both, and nothing imports it (make lint).",
    ]
    svg: str = _SVG.render(
        floors=drawn,
        notes=notes,
        note_y=note_y,
        width=_SERVICE_WIDTH + _TRAINING_WIDTH + 30,
        height=note_y + 30,
    )
    return svg + "\n"


def rooms() -> str:
    """A Markdown table of all rooms, from the top floor down, with what is in them."""
    rows = ["| room | what is in it |", "|---|---|", *_rows(CHECKOUT / "evenmatch")]
    for names in floors():
        for name in names:
            rows += _rows(CHECKOUT / "service" / name)
    for place in sorted((CHECKOUT / "training").iterdir()):
        is_module = place.suffix == ".py" and place.name != "__init__.py"
        if is_module or (place / "__init__.py").exists():
            rows += _rows(place)
    return "\n".join(rows) + "\n"


def with_rooms(text: str) -> str:
    """`text` of the page with the table between its markers made again."""
    return _ROOMS.sub(lambda found: found[1] + rooms() + found[2], text)


def _rows(place: Path) -> list[str]:
    """A row for a module or package, and one for each package in it."""
    source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    name = source.parent if source.name == "__init__.py" else source
    summary = (ast.get_docstring(ast.parse(source.read_text("utf-8"))) or "").split("\n\n")[0]
    rows = [f"| `{name.relative_to(CHECKOUT)}` | {' '.join(summary.split())} |"]
    if place.is_dir():
        inside = sorted(path.parent for path in place.glob("*/__init__.py"))
        rows += [row for path in inside if path.name != "migrations" for row in _rows(path)]
    return rows


if __name__ == "__main__":
    OPENAPI_FILE.write_text(openapi_text(), "utf-8")
    README_FILE.write_text(with_settings_table(README_FILE.read_text("utf-8")), "utf-8")
    TRAINING_KEYS.write_text(training_keys(TRAINING_KEYS.read_text("utf-8")), "utf-8")
    TRAINING_SCHEMA.write_text(config_schema(RunConfig), "utf-8")
    PICTURE.write_text(picture(), "utf-8")
    PAGE.write_text(with_rooms(PAGE.read_text("utf-8")), "utf-8")
