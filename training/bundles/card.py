"""Model cards: of an evaluated bundle, with every figure's interval, and of what is published of it."""

from __future__ import annotations

import html

from huggingface_hub import ModelCard, ModelCardData

from service.core.bundle import Bundle
from service.core.calibration import Calibration
from service.core.html import template_environment
from service.core.manifest import Manifest
from training.evaluation.schema import Estimate, Evaluation
from training.report.plots import value_text

_TEMPLATES = template_environment("training.bundles")


def evaluated_model_card(
    manifest: Manifest, calibration: Calibration, evaluation: Evaluation, *, training: str
) -> str:
    """Markdown. `training` says in a sentence or two what was trained, on what, and how to repeat it."""
    card = _TEMPLATES.get_template("evaluated.md.j2").render(
        manifest=manifest, calibration=calibration, evaluation=evaluation, training=training
    )
    return card + "\n"


def adapter_card(bundle: Bundle, base: str, *, repo_id: str | None, license_id: str | None) -> str:
    """Markdown with the hub's YAML header. `base` is the base model's hub id."""
    data = ModelCardData(
        base_model=base,
        base_model_relation="adapter",
        language="en",
        library_name="peft",
        license=license_id,
        pipeline_tag="sentence-similarity",
        tags=["evenmatch", "lora", "resume-matching", "fairness"],
    )
    return _published("adapter.md.j2", data, bundle, base, repo_id)


def sentence_transformers_card(
    bundle: Bundle, base: str | None, *, repo_id: str | None, license_id: str | None
) -> str:
    """Markdown with the hub's YAML header. `base` is the base model's hub id, None if it has none."""
    data = ModelCardData(
        base_model=base,
        base_model_relation="finetune" if base else None,
        language="en",
        library_name="sentence-transformers",
        license=license_id,
        pipeline_tag="sentence-similarity",
        tags=["evenmatch", "resume-matching", "fairness"],
    )
    return _published("sentence_transformers.md.j2", data, bundle, base, repo_id)


def _published(
    template: str, data: ModelCardData, bundle: Bundle, base: str | None, repo_id: str | None
) -> str:
    card = _TEMPLATES.get_template(template).render(
        header=data.to_yaml(),
        own_card=_own_card(bundle),
        manifest=bundle.manifest,
        eraser=bundle.eraser,
        base=base,
        repo=repo_id or "OWNER/NAME",
    )
    return card + "\n"


def _plain(text: str) -> str:
    """Names of groups and files as they are: they must not become markup, or another cell of a table."""
    return html.escape(" ".join(text.split()), quote=False).replace("|", r"\|")


def _value(estimate: Estimate, decimals: int = 3) -> str:
    return _plain(value_text(estimate, decimals))


def _own_card(bundle: Bundle) -> str:
    file = bundle.path / "README.md"
    if not file.is_file():
        return f"# {bundle.manifest.name} {bundle.manifest.version}"
    text = file.read_text("utf-8")
    return (ModelCard(text).text if text.startswith("---\n") else text).strip()


_TEMPLATES.filters.update(plain=_plain, value=_value)
