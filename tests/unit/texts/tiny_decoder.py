"""A tiny decoder built during the test: random weights, a tokenizer of whole words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3Model

WORDS = ["red", "blue", "green", "mug", "shoe", "lamp", "for", "a", "small"]


def tiny_config(words: int, **changes: Any) -> Qwen3Config:
    """A Qwen3-type decoder of two layers."""
    return Qwen3Config(
        vocab_size=words,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=128,
        pad_token_id=0,
        **changes,
    )


def make_decoder(folder: Path) -> Path:
    """Write a Qwen3-type decoder of two layers whose tokenizer knows `[ITEM]`."""
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[ITEM]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        additional_special_tokens=["[ITEM]"],
    ).save_pretrained(folder)
    torch.manual_seed(0)
    Qwen3Model(tiny_config(len(vocabulary))).save_pretrained(folder)
    return folder
