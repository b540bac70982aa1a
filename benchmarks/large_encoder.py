"""An encoder of the shape of BAAI/bge-large-en-v1.5 through everything, with time and memory.

`python -m benchmarks.large_encoder FOLDER` makes it there with random weights (1.3 GB), a bundle of it as it
is and another after two training steps, and serves the latter. Random weights say nothing of quality;
arithmetic and memory are those of the real model, whose layout they have.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
import yaml
from transformers import BertConfig, BertModel

from benchmarks import corpus
from benchmarks.http import BenchServer
from service.core.base_model import MINILM, locate
from service.core.bundle import read_bundle
from service.core.engines.loading import EngineOptions, load_model

DIMENSIONS, LAYERS, HEADS, MLP, TOKENS = 1024, 24, 16, 4096, 512
CONFIG: dict[str, Any] = {
    "name": "large-try",
    "seed": 7,
    "data": {
        "synthetic": {
            "train_jobs": 4,
            "validation_jobs": 2,
            "threshold_jobs": 1,
            "test_jobs": 3,
        }
    },
    # By random weights matches score no higher than others: there is nothing that could be fitted.
    "calibration": {
        "given": {
            "with_title": {"slope": 20.0, "intercept": -10.0},
            "without_title": {"slope": 20.0, "intercept": -10.0},
            "pairs": 1000,
            "prevalence": 0.1,
            "source": "none, the weights are random",
        }
    },
    "threshold": {
        "given": {"threshold": 0.5, "borderline": [0.4, 0.6], "source": "none, the weights are random"}
    },
    "passages": {"words": 20, "layout": True},
    "adapter": {"r": 8, "alpha": 16, "frozen_layers": 12},
    "sampling": {"pairs": "one_a_job"},
    "losses": {"contrastive": 1.0, "pairing": 1.0},
    "trainer": {"epochs": 1, "batch_jobs": 2, "validation_resumes": 2, "gradient_checkpointing": True},
    "erasure": {"method": "none"},
    "evaluation": {"rounds": 20, "audited": 0, "minimum": 5},
}


@dataclass(frozen=True)
class Cost:
    """Of one step: by the clock, processor time of all its processes, most resident memory at once."""

    seconds: float
    processor_seconds: float
    memory_gib: float

    def __str__(self) -> str:
        return f"{self.seconds:.0f} s | {self.processor_seconds:.0f} s | {self.memory_gib:.1f} GiB"


def write_model(folder: Path) -> None:
    """The files of bge-large (CLS pooling, Normalize), with random weights."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30_522,
        hidden_size=DIMENSIONS,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=MLP,
        max_position_embeddings=TOKENS,
    )
    BertModel(config).save_pretrained(folder)
    # BERT's 30,522 words, as bge has them.
    shutil.copy(locate(MINILM) / "tokenizer.json", folder)
    kinds = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(kinds.items())
    ]
    pooling = {"word_embedding_dimension": DIMENSIONS, "pooling_mode_cls_token": True}
    _write(folder / "modules.json", modules)
    _write(folder / "1_Pooling" / "config.json", pooling)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": TOKENS, "do_lower_case": True})


def _write(file: Path, content: object) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content), "utf-8")


def run(command: list[str]) -> Cost:
    """Run a command of `evenmatch-train` to its end."""
    program = str(Path(sys.executable).with_name("evenmatch-train"))
    return watched(subprocess.Popen([program, *command], stdout=subprocess.DEVNULL))


def watched(process: subprocess.Popen[bytes]) -> Cost:
    """What a process and those that it starts take until its end. Raises `RuntimeError` if it fails."""
    began, most, spent = time.perf_counter(), 0, 0.0
    root = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            family = [root, *root.children(recursive=True)]
            most = max(most, sum(one.memory_info().rss for one in family))
            spent = max(spent, sum(sum(one.cpu_times()[:2]) for one in family))
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.2)
    if process.returncode:
        raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
    return Cost(time.perf_counter() - began, spent, most / 2**30)


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.large_encoder", description=__doc__)
    arguments.add_argument("folder", type=Path, help="an empty folder, for some 10 GB")
    arguments.add_argument("--threads", type=int, default=2)
    given = arguments.parse_args()
    folder: Path = given.folder
    model, config = folder / "model", folder / "run.yaml"
    if not model.exists():
        write_model(model)

    def say(name: str, cost: object) -> None:
        sys.stdout.write(f"| {name} | {cost} |\n")
        sys.stdout.flush()

    trainer = {**CONFIG["trainer"], "threads": given.threads}
    whole = {**CONFIG, "base_model": {"id": str(model)}, "trainer": trainer}
    bundle_of = ["run", "--config", str(config), "--overwrite", "--output"]
    # What `base-bundle` does, which always calibrates.
    config.write_text(yaml.safe_dump({**whole, "name": "large-base", "losses": {"contrastive": 0.0}}))
    say("a bundle without training", run([*bundle_of, str(folder / "base")]))
    config.write_text(yaml.safe_dump(whole))
    trained = folder / "trained"
    say("the same with two training steps", run([*bundle_of, str(trained)]))
    first = BenchServer(folder / "data", given.threads, **_of(trained))
    first.stop()
    say("first start, which converts", f"{first.start_seconds:.0f} s | | ")
    server = BenchServer(folder / "data", given.threads, **_of(trained))
    try:
        bundle = read_bundle(trained)
        options = EngineOptions("torch", "cpu", threads=given.threads, cache=folder / "data")
        texts = corpus.resumes(load_model(bundle, options).tokenizer, 10)
        spent, began = server.processor_seconds(), time.perf_counter()
        server.score(corpus.job(), texts)
        seconds, spent = time.perf_counter() - began, server.processor_seconds() - spent
        memory = psutil.Process(server.process.pid).memory_info().rss / 2**30
        say("second start until ready", f"{server.start_seconds:.0f} s | | {server.rest_mib / 1024:.1f} GiB")
        say("/v1/score, a job and 10 resumes of 244 tokens", Cost(seconds, spent, memory))
    finally:
        server.stop()


def _of(bundle: Path) -> dict[str, str]:
    return {"EVENMATCH_BUNDLE": str(bundle)}


if __name__ == "__main__":
    main()
