"""The templates of reports, compiled once."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

_ENVIRONMENT = Environment(
    loader=PackageLoader("service.reports"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    auto_reload=False,
)


def template(name: str) -> Template:
    """The template in file `name`. Threads may render it side by side."""
    return _ENVIRONMENT.get_template(name)


def load_templates() -> None:
    """Compile every template, so that no request reads one."""
    for name in _ENVIRONMENT.list_templates():
        template(name)
