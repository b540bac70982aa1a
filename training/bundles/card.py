"""Model cards: of an evaluated bundle, with every figure's interval, and of a published adapter."""

from __future__ import annotations

import html
from collections.abc import Mapping

from huggingface_hub import ModelCard, ModelCardData

from service.core.bundle import Bundle
from service.core.calibration import Calibration
from service.core.manifest import Manifest
from training.evaluation.schema import Estimate, Evaluation, Judgement, VariantEvaluation
from training.report.plots import value_text

_INTENDED_USE = """\
To support a person who compares resumes with a job. A score is a recommendation; it must not reject anybody
by itself. Not for decisions without such a person, and not for text other than resumes and postings."""

_LIMITS = """\
Figures hold for data like those above: other occupations, languages, names and layouts may show others. A
difference that was not found may still be there, above all in small groups. Groups behind names and schools
are those of lists of the United States and the United Kingdom. Plots and all figures:
`fairness_report.html`, `metrics.json`."""

_POOLING = {
    "cls": "pooled = hidden[:, 0]",
    "mean": """weights = batch["attention_mask"].unsqueeze(-1)
    pooled = (hidden * weights).sum(1) / weights.sum(1)""",
}

_ERASER = """
eraser = load_file(hf_hub_download("{repo}", "bundle/eraser.safetensors"))


def erase(vectors):
    parts = (vectors - eraser["mean"]) @ eraser["right"].T
    return torch.nn.functional.normalize(vectors - parts @ eraser["left"].T, dim=-1)
"""

_USE = """## Use with PEFT

```python
import torch
from peft import PeftModel
from transformers import AutoModel, AutoTokenizer{imports}

tokenizer = AutoTokenizer.from_pretrained("{base}")
model = PeftModel.from_pretrained(AutoModel.from_pretrained("{base}"), "{repo}").eval()
{eraser}

def encode(texts):
    batch = tokenizer(texts, padding=True, truncation=True, max_length={tokens}, return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**batch).last_hidden_state
    {pooling}
    return {result}
```

Encode passages of about {words} words, not whole documents{prefixes}. The weights of the base model that
it was trained on have the SHA-256 `{weights}`.

## Use with Evenmatch

`bundle/` holds what makes vectors into decisions: redaction, matching, calibration and the threshold.
Put back together and verified:

```sh
evenmatch-train import {repo} --output {name}
EVENMATCH_BUNDLE={name} evenmatch serve
```
"""


def evaluated_model_card(
    manifest: Manifest, calibration: Calibration, evaluation: Evaluation, *, training: str
) -> str:
    """Markdown. `training` says in a sentence or two what was trained, on what, and how to repeat it."""
    base, subject, data = manifest.base_model, evaluation.subject, evaluation.data
    kind = "with a LoRA adapter (PEFT)" if manifest.has_adapter else "without an adapter"
    lines = [
        f"# {subject.bundle} {subject.version}",
        "",
        f"The encoder `{base.id}` ({base.dimensions} dimensions, {manifest.pooling} pooling) {kind}, for "
        "resume-to-job matching by late interaction over passages.",
        *_section("Intended use", _INTENDED_USE),
        *_section("Training", training),
        *_section(
            "Evaluation data",
            f"{_plain(data.description)}. {data.pairs:,} pairs of {data.jobs:,} jobs and {data.resumes:,} "
            f"resumes, {evaluation.judgements[0].matches:,} matches; redaction "
            f"{'on' if subject.redact else 'off'}. Brackets hold 95 % intervals from "
            f"{evaluation.rounds:,} bootstrap resamples of jobs.",
        ),
        *_section(
            "Calibration and threshold",
            f"Method {calibration.method}, fitted on {calibration.pairs:,} pairs, of which "
            f"{100 * calibration.prevalence:.0f} % match: probabilities hold for pools with that share. One "
            f"threshold, {subject.threshold:.4f}, for everybody. Constraint: {_plain(subject.constraint)}.",
        ),
    ]
    for judgement in evaluation.judgements:
        lines += _judgement(judgement, evaluation.minimum)
    for audit in evaluation.audits:
        lines += _audit(audit)
    for name, shift in evaluation.shifts.items():
        lines += [*_section(f"Counterfactual pairs: {name.replace('_', ' ')}"), *_table(shift.figures, 4)]
    if evaluation.notes:
        lines += [*_section("Notes"), *(f"- {_plain(note)}" for note in evaluation.notes)]
    lines += _section("Limits", _LIMITS)
    return "\n".join(lines) + "\n"


def adapter_card(bundle: Bundle, base: str, *, repo_id: str | None, license_id: str | None) -> str:
    """Markdown with the hub's YAML header. `base` is the base model's hub id."""
    manifest = bundle.manifest
    data = ModelCardData(
        base_model=base,
        base_model_relation="adapter",
        language="en",
        library_name="peft",
        license=license_id,
        pipeline_tag="sentence-similarity",
        tags=["evenmatch", "lora", "resume-matching", "fairness"],
    )
    repo = repo_id or "OWNER/NAME"
    unit = "torch.nn.functional.normalize(pooled, dim=-1)"
    use = _USE.format(
        base=base,
        repo=repo,
        name=manifest.name,
        tokens=manifest.max_tokens,
        words=manifest.passages.words,
        weights=manifest.base_model.weights_sha256,
        pooling=_POOLING[manifest.pooling],
        prefixes=_prefixes(bundle),
        imports=(
            "\nfrom huggingface_hub import hf_hub_download\nfrom safetensors.torch import load_file"
            if bundle.eraser
            else ""
        ),
        eraser=_ERASER.format(repo=repo) if bundle.eraser else "",
        result=f"erase({unit})" if bundle.eraser else unit,
    )
    return f"---\n{data.to_yaml()}\n---\n\n{_own_card(bundle)}\n\n{use}"


def _section(title: str, text: str = "") -> list[str]:
    return ["", f"## {title}", "", *([text] if text else [])]


def _plain(text: str) -> str:
    """Names of groups and files as they are: they must not become markup, or another cell of a table."""
    return html.escape(" ".join(text.split()), quote=False).replace("|", r"\|")


def _table(figures: Mapping[str, Estimate], decimals: int = 3) -> list[str]:
    rows = [f"| {name} | {_plain(value_text(of, decimals))} | {of.n:,} |" for name, of in figures.items()]
    return ["| figure | value | n |", "|---|---|---|", *rows]


def _judgement(judgement: Judgement, minimum: int) -> list[str]:
    lines = [*_section(f"Utility against {judgement.labels} labels"), *_table(judgement.utility)]
    lines += _section(f"Differences between groups against {judgement.labels} labels")
    if not judgement.attributes:
        return [*lines, "No groups were known in these data: nothing can be said about differences."]
    lines.append(
        f"Groups take part in a rate that stands on {minimum} of their pairs. Chance alone makes a "
        "difference positive, in resamples even more so: an interval can lie above its value."
    )
    for attribute in judgement.attributes:
        figures = attribute.differences | {
            "fairness_score": attribute.fairness_score,
            "balanced_fairness_score": attribute.balanced_fairness_score,
        }
        lines += ["", f"### {_plain(attribute.attribute)}", "", *_table(figures), ""]
        lines.append(
            "| group | pairs | selection_rate | true positive rate | calibration error | "
            "share of first places over share of candidates |"
        )
        lines.append("|---|---|---|---|---|---|")
        for group in attribute.groups:
            shown = [group.figures[key] for key in ("selection_rate", "true_positive_rate", "ece")]
            shown.append(group.exposure["top_1_ratio"])
            cells = [_plain(value_text(of)) for of in shown]
            lines.append(f"| {_plain(group.group)} | {group.pairs:,} | {' | '.join(cells)} |")
    return lines


def _audit(audit: VariantEvaluation) -> list[str]:
    lines = [
        *_section(
            f"Counterfactual audit, redaction {'on' if audit.redact else 'off'}",
            f"{audit.resumes:,} resumes of {audit.jobs:,} jobs; intervals are drawn over resumes.",
        ),
        "",
        "| attribute | group | n | mean shift | p95 | shift / sd | flip_rate | beyond benign edits |",
        "|---|---|---|---|---|---|---|---|",
    ]
    arms = [(a.attribute, group) for a in audit.attributes for group in a.groups]
    if audit.control is not None:
        arms = [("benign edits", audit.control), *arms]
    for attribute, arm in arms:
        keys = ("mean_shift", "p95_shift", "shift_over_sd", "flip_rate")
        cells = [_plain(value_text(arm.figures[key], 4)) for key in keys]
        lines.append(
            f"| {attribute} | {arm.group} | {arm.figures['mean_shift'].n:,} | {' | '.join(cells)} | "
            f"{'yes' if arm.beyond_noise else 'no'} |"
        )
    lines.append("")
    for a in audit.attributes:
        ratio = value_text(a.min_max_ratio)
        lines.append(f"- {a.attribute}: first places, lowest share / highest share {ratio}, {a.sets:,} sets")
    return lines


def _own_card(bundle: Bundle) -> str:
    file = bundle.path / "README.md"
    if not file.is_file():
        return f"# {bundle.manifest.name} {bundle.manifest.version}"
    text = file.read_text("utf-8")
    return (ModelCard(text).text if text.startswith("---\n") else text).strip()


def _prefixes(bundle: Bundle) -> str:
    prefixes = bundle.manifest.prefixes
    said = [
        f"`{text}` before every {kind}"
        for kind, text in (("job", prefixes.job), ("resume", prefixes.resume))
        if text
    ]
    return f", with {' and '.join(said)}" if said else ""
