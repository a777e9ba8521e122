"""Fingerprint of an encoder, so that vectors of two encoders are never mixed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from grove.texts.encoder import EncoderSpec

CHARACTERS = 16
_MODEL_FILES = ("config.json", "*.safetensors")
_TOKENIZER_FILES = (
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.model",
)


def encoder_fingerprint(spec: EncoderSpec) -> str:
    """Hash everything that determines a vector: weights, tokenizer, prompt, pooling, length.

    Folder and batch size are excluded: the same model elsewhere gives the same vectors. Float32
    adds nothing, so that vectors from before the setting existed keep their fingerprint.

    Returns:
        16 hexadecimal digits of a SHA-256.
    """
    digest = hashlib.sha256()
    precision = () if spec.precision == "fp32" else (spec.precision,)
    for value in (spec.prompt, spec.pooling, str(spec.max_tokens), *precision):
        digest.update(value.encode() + b"\0")
    for file in _files(Path(spec.folder)):
        digest.update(file.name.encode() + b"\0")
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()[:CHARACTERS]


def _files(folder: Path) -> list[Path]:
    found = {
        file for pattern in (*_MODEL_FILES, *_TOKENIZER_FILES) for file in folder.glob(pattern)
    }
    return sorted(found)
