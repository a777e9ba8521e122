"""The folder of a trained model: weights, vocabulary, metadata and trained items."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.torch import load_file, save
from torch import Tensor, nn

from grove.features.model_metadata import ModelMetadata, read_metadata, write_metadata
from grove.features.vocabulary import Vocabulary, load_vocabulary, save_vocabulary

WEIGHTS_FILE = "weights.safetensors"
TRAINED_ITEMS_FILE = "trained_items.parquet"
EARLIER_TRAINED_ITEMS_FILE = "taken_items.parquet"
"""Name of the same file in folders written by earlier code."""
VERSION_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class SavedModel:
    """Content of a model folder."""

    weights: dict[str, Tensor]
    """State of the network."""
    vocabulary: Vocabulary
    """Names behind its embedding rows."""
    metadata: ModelMetadata
    """Content of `model.json`."""
    trained_items: pa.Array
    """Ids of the items with training interactions; see `read_trained_items`."""

    @property
    def arguments(self) -> dict[str, Any]:
        """Constructor arguments of the network."""
        return dict(self.metadata.arguments)


def save_model(
    folder: Path,
    model: nn.Module,
    vocabulary: Vocabulary,
    metadata: ModelMetadata,
    *,
    trained_items: pa.Array | None = None,
) -> str:
    """Write a model so that it can be loaded without the code that trained it.

    Args:
        folder: created if absent.
        model: its parameters and buffers are written.
        vocabulary: names behind its embedding rows.
        metadata: of the training; its `model_version` is replaced by that of the weights.
        trained_items: ids of the items with training interactions.

    Returns:
        The model version: a fingerprint of the weights, so equal weights have equal versions.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = save({name: value.detach().cpu().contiguous() for name, value in _state(model)})
    version = hashlib.sha256(content).hexdigest()[:VERSION_DIGITS]
    (folder / WEIGHTS_FILE).write_bytes(content)
    save_vocabulary(folder, vocabulary)
    if trained_items is not None:
        pq.write_table(pa.table({"item_id": trained_items}), folder / TRAINED_ITEMS_FILE)
    write_metadata(folder, replace(metadata, model_version=version))
    return version


def read_model(folder: Path) -> SavedModel:
    """Read a model folder without building the network."""
    return SavedModel(
        weights=load_file(folder / WEIGHTS_FILE),
        vocabulary=load_vocabulary(folder),
        metadata=read_metadata(folder),
        trained_items=read_trained_items(folder),
    )


def read_trained_items(folder: Path) -> pa.Array:
    """Read the ids of the items with training interactions.

    A folder written by earlier code holds them under `EARLIER_TRAINED_ITEMS_FILE`; one written
    before they were recorded holds neither file, and its whole vocabulary counts as trained.

    Args:
        folder: of the model.

    Returns:
        Item ids.
    """
    for name in (TRAINED_ITEMS_FILE, EARLIER_TRAINED_ITEMS_FILE):
        if (folder / name).is_file():
            return pq.read_table(folder / name)["item_id"].combine_chunks()
    return pa.array(load_vocabulary(folder).items, pa.string())


def _state(model: nn.Module) -> list[tuple[str, Tensor]]:
    return sorted(model.state_dict().items())
