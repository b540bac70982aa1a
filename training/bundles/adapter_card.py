"""README.md of a published adapter: the bundle's own card, and how to load the adapter."""

from __future__ import annotations

from huggingface_hub import ModelCard, ModelCardData

from service.core.bundle import Bundle

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
