"""`evenmatch-train adapt`: a base model that has read a company's own postings and resumes, without labels.

What is learned: which body a posting's title belongs to, and which two sections are of one resume. What is
kept: each text's neighbourhood among the others, as the base model has it. The result is a model folder like
any other, from which `run` and `base-bundle` go on.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import BaseModel as Schema
from pydantic import ConfigDict, Field
from torch import Tensor
from transformers import get_cosine_schedule_with_warmup, set_seed

from service.core.base_model import BaseModel
from service.core.encoder import Encoder, load_encoder
from service.core.engines.torch_engine import available_device
from service.core.files import draft_of, is_in_the_way
from service.core.matching import Matcher
from service.core.passages import PassagePolicy
from service.core.tokenization import TextTokenizer
from training.adaptation.held_out import HeldOut, measure
from training.adaptation.objective import encoded, matched_parts, mean_of, moved_neighbours
from training.adaptation.texts import UnlabelledPosting, UnlabelledTexts, tokenize_texts
from training.bundles.candidate import new_manifest, write_candidate
from training.data.example import DataError
from training.learning.adapter import AdapterConfig, add_adapter
from training.learning.batches import Rows
from training.learning.tokenized import Texts
from training.learning.validation import ADVICE, DivergedError

RECORD = "adaptation.json"
"""By which an adapted model's folder is told, and which says what it was made of."""

_COPIED = ("*.json", "*.txt", "*.model", "1_Pooling/config.json")

Say = Callable[[str], None]
Item = TypeVar("Item")


class AdaptationConfig(Schema):
    """How a base model is adapted. All of it stands in `adaptation.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    epochs: int = Field(
        2, ge=1, description="Passes over the postings, or over the resumes if these are more."
    )
    batch_postings: int = Field(20, ge=4, description="Postings in a step.")
    batch_resumes: int = Field(10, ge=4, description="Resumes in a step.")
    body_passages: int = Field(2, ge=1, description="Passages of a posting's body in a step.")
    passage_tokens: int = Field(40, ge=8, description="Of a longer passage, the first so many are read.")
    learning_rate: float = Field(3e-4, gt=0, description="Highest, after a warm-up; then cosine to 0.")
    temperature: float = Field(0.05, gt=0, description="Of all softmaxes, in units of cosine.")
    resume_weight: float = Field(0.5, ge=0, description="Of sections of resumes, beside titles and bodies.")
    anchor: float = Field(1.0, ge=0, description="Weight of the base model's neighbourhoods.")
    kept_share: float = Field(
        1.0, gt=0, le=1, description="Share of the update that is kept, between base (0) and adapted (1)."
    )
    held_out_share: float = Field(
        0.1, gt=0, lt=0.5, description="Share of the texts that are measured on and not learned from."
    )
    adapter: AdapterConfig = Field(AdapterConfig(), description="LoRA, merged into the model at the end.")
    passages: PassagePolicy = Field(PassagePolicy(words=25, layout=True), description="How texts are cut.")
    seed: int = Field(20261124, ge=0, lt=2**32, description="Of everything random.")


def adapt_model(
    base: BaseModel,
    postings: Sequence[tuple[str, str]],
    resumes: Sequence[str],
    output: Path,
    config: AdaptationConfig,
    *,
    overwrite: bool = False,
    say: Say = print,
) -> tuple[HeldOut, HeldOut]:
    """Adapt `base` and write it to the folder `output`; returns the figures before and after.

    `postings`: title and body of each. Nothing of the texts is written. Raises `DataError` if there are too
    few texts or `output` is in the way, and `DivergedError` if the loss is no number.
    """
    check_model_place(output, overwrite=overwrite)
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        manifest = new_manifest("adapt", "1.0.0", base, passages=config.passages)
        candidate = write_candidate(Path(place) / "bundle", manifest, base)
        matcher = Matcher(candidate, TextTokenizer.load(base.tokenizer_file, manifest))
        texts = tokenize_texts(matcher, postings, resumes, notes)
    for note in notes:
        say(f"note: {note}")
    learned, held_out = _parted(texts, config)
    if len(learned.postings) < config.batch_postings and len(learned.resumes) < config.batch_resumes:
        raise DataError(
            f"{len(learned.postings):,} postings and {len(learned.resumes):,} resumes are too few to adapt "
            f"to: a step takes {config.batch_postings} of the one or {config.batch_resumes} of the other"
        )
    set_seed(config.seed)
    encoder = load_encoder(base.folder, base.pooling)
    add_adapter(encoder, config.adapter)
    encoder.to(available_device())
    before = measure(encoder, held_out, None)
    steps = _train(encoder, learned, config, say)
    _keep(encoder, config.kept_share)
    after = measure(encoder, held_out, before)
    backbone: Any = encoder.backbone
    record = {
        "base_model": base.spec.model_dump(mode="json"),
        "config": config.model_dump(mode="json"),
        "learned_from": {"postings": len(learned.postings), "resumes": len(learned.resumes), "steps": steps},
        "held_out": {"before": before.figures.model_dump(), "after": after.figures.model_dump()},
    }
    with draft_of(output) as draft:
        _copy_layout(base, draft)
        backbone.merge_and_unload().to("cpu").save_pretrained(str(draft), safe_serialization=True)
        (draft / RECORD).write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    return before.figures, after.figures


def check_model_place(output: Path, *, overwrite: bool) -> None:
    """Raise `DataError` if `output` exists and `overwrite` is false, or if it is no adapted model."""
    if output.exists() and not overwrite and (not output.is_dir() or any(output.iterdir())):
        raise DataError(
            f"{output} exists already; choose another place or ask to overwrite it", field="output"
        )
    if is_in_the_way(output, sign=RECORD):
        raise DataError(f"{output} is no adapted model (it has no {RECORD}), so it is not overwritten")


def _parted(texts: UnlabelledTexts, config: AdaptationConfig) -> tuple[UnlabelledTexts, UnlabelledTexts]:
    """What is learned from, and what is held out: postings of one family stay together."""
    rng = random.Random(config.seed)
    families = sorted({posting.family for posting in texts.postings})
    chosen = set(rng.sample(families, round(config.held_out_share * len(families))))
    people = set(rng.sample(range(len(texts.resumes)), round(config.held_out_share * len(texts.resumes))))
    return (
        UnlabelledTexts(
            [p for p in texts.postings if p.family not in chosen],
            [r for i, r in enumerate(texts.resumes) if i not in people],
            texts.notes,
        ),
        UnlabelledTexts(
            [p for p in texts.postings if p.family in chosen],
            [r for i, r in enumerate(texts.resumes) if i in people],
            texts.notes,
        ),
    )


def _train(encoder: Encoder, texts: UnlabelledTexts, config: AdaptationConfig, say: Say) -> int:
    rng = random.Random(config.seed)
    by_postings = len(texts.postings) // config.batch_postings
    by_resumes = len(texts.resumes) // config.batch_resumes
    steps = config.epochs * max(by_postings, by_resumes)
    say(
        f"learning from {len(texts.postings):,} postings and {len(texts.resumes):,} resumes in {steps:,} "
        "steps"
    )
    parameters = [p for p in encoder.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=0.01)
    schedule = get_cosine_schedule_with_warmup(optimizer, steps // 10, steps)
    postings = _endless(texts.postings, config.batch_postings, rng)
    resumes = _endless(texts.resumes, config.batch_resumes, rng)
    encoder.train()
    for step in range(1, steps + 1):
        loss = _loss(encoder, next(postings), next(resumes), config, rng)
        if not bool(torch.isfinite(loss)):
            raise DivergedError(f"the loss is not finite after step {step - 1}: {ADVICE}")
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # of torch
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        if step % max(1, steps // 10) == 0:
            say(f"step {step:,} of {steps:,}, loss {loss.item():.3f}")
    encoder.eval()
    return steps


def _loss(
    encoder: Encoder,
    postings: Sequence[UnlabelledPosting],
    resumes: Sequence[Texts],
    config: AdaptationConfig,
    rng: random.Random,
) -> Tensor:
    rows = Rows()

    def some(passages: Texts, count: int) -> list[int]:
        drawn = rng.sample(passages, min(count, len(passages)))
        return rows.of([ids[: config.passage_tokens] for ids in drawn])

    titles = [rows.of([posting.title[: config.passage_tokens]]) for posting in postings]
    bodies = [some(posting.passages, config.body_passages) for posting in postings]
    firsts = [some(resume[: len(resume) // 2], 1) for resume in resumes]
    seconds = [some(resume[len(resume) // 2 :], 1) for resume in resumes]
    now = encoded(encoder, rows.ids)
    terms = []
    if postings:
        alike = torch.tensor([[a.is_like(b) for b in postings] for a in postings], device=now.device)
        terms.append(matched_parts(mean_of(now, titles), mean_of(now, bodies), config.temperature, alike))
    if resumes and config.resume_weight:
        sections = matched_parts(mean_of(now, firsts), mean_of(now, seconds), config.temperature)
        terms.append(config.resume_weight * sections)
    if config.anchor:
        backbone: Any = encoder.backbone
        with torch.no_grad(), backbone.disable_adapter():
            before = encoded(encoder, rows.ids)
        terms.append(config.anchor * moved_neighbours(now, before, config.temperature))
    return torch.stack(terms).sum()


def _endless(items: Sequence[Item], count: int, rng: random.Random) -> Iterator[list[Item]]:
    """`count` items at a time, in another order each time that all have come; none where they are fewer."""
    if len(items) < count:
        while True:
            yield []
    order: list[Item] = []
    while True:
        if len(order) < count:
            order = list(items)
            rng.shuffle(order)
        yield [order.pop() for _ in range(count)]


def _keep(encoder: Encoder, share: float) -> None:
    """Give the update `share` of its size for good."""
    with torch.no_grad():
        for name, parameter in encoder.backbone.named_parameters():
            if "lora_B" in name:
                parameter.mul_(share)


def _copy_layout(base: BaseModel, folder: Path) -> None:
    """Tokenizer, pooling and lengths as the base model has them, and the prefixes that it is read with."""
    for pattern in _COPIED:
        for file in base.folder.glob(pattern):
            place = folder / file.relative_to(base.folder)
            place.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, place)
    if not (folder / "modules.json").is_file():
        _write_modules(base, folder)
    stated = folder / "config_sentence_transformers.json"
    content = json.loads(stated.read_text("utf-8")) if stated.is_file() else {}
    prompts = {"query": base.prefixes.job, "document": base.prefixes.resume}
    stated.write_text(json.dumps(content | {"prompts": prompts}, indent=2) + "\n", "utf-8")


def _write_modules(base: BaseModel, folder: Path) -> None:
    """Say the pooling that was given for a model which does not state its own."""
    modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
    content = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(modules)
    ]
    (folder / "modules.json").write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    (folder / "1_Pooling").mkdir(exist_ok=True)
    pooling = {
        "word_embedding_dimension": base.spec.dimensions,
        "pooling_mode_cls_token": base.pooling == "cls",
        "pooling_mode_mean_tokens": base.pooling == "mean",
    }
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling, indent=2) + "\n", "utf-8")
