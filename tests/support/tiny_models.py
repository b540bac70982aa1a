"""Small randomly initialised models in the layouts of real ones, written to a folder."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoModel, BertConfig, BertModel

WORDS = """
    python java nurse ward patient engineer backend service database care develop build design manage team
    senior junior warehouse accountant represent this sentence for searching relevant passages payment in
    and the a of on to with built software registered surgical
"""
LETTERS = [chr(c) for c in range(ord("a"), ord("z") + 1)]
DIMENSIONS = 32


def write_bge_like(
    folder: Path,
    *,
    max_tokens: int = 64,
    pooling_mode: str = "cls",
    seed: int = 0,
    layers: int = 2,
    heads: int = 4,
) -> Path:
    """The files of BAAI/bge-large-en-v1.5 (CLS pooling, Normalize module), with 32 dimensions.

    It has 24 layers of 16 heads; fewer are enough for most tests.
    """
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *WORDS.split(),
        *LETTERS,
        *(f"##{x}" for x in LETTERS),
    ]
    vocabulary += [*"0123456789.,;:-", *(f"##{x}" for x in "0123456789")]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=DIMENSIONS,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=64,
        max_position_embeddings=max_tokens,
    )
    BertModel(config).save_pretrained(folder)
    write_json(
        folder / "modules.json",
        [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
        ],
    )
    (folder / "1_Pooling").mkdir()
    write_json(
        folder / "1_Pooling" / "config.json",
        {
            "word_embedding_dimension": DIMENSIONS,
            "pooling_mode_cls_token": pooling_mode == "cls",
            "pooling_mode_mean_tokens": pooling_mode == "mean",
            "pooling_mode_max_tokens": pooling_mode == "max",
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
    )
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_tokens, "do_lower_case": True})
    return folder


def write_adapter(base: Path, folder: Path, *, seed: int = 1) -> Path:
    """A LoRA adapter of the base model in PEFT's own format, with weights that change something."""
    model = get_peft_model(
        AutoModel.from_pretrained(base, dtype=torch.float32),
        LoraConfig(r=4, lora_alpha=8, target_modules=["query", "value"], init_lora_weights=False),
    )
    torch.manual_seed(seed)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    model.save_pretrained(str(folder))
    return folder


def write_json(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, indent=2), "utf-8")
