"""Reports for people: the bias audit and the counterfactual audit, as HTML, JSON and CSV."""

from service.core.html import template_environment

TEMPLATES = template_environment("service.reports")


def load_templates() -> None:
    """Compile every template, so that no request does."""
    for name in TEMPLATES.list_templates():
        TEMPLATES.get_template(name)
