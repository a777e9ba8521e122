"""The folder of a trained model: weights, vocabulary, and how to build the network again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.torch import load_file, save
from torch import Tensor, nn

from grove.features.vocabulary import Vocabulary, load_vocabulary, save_vocabulary

WEIGHTS_FILE = "weights.safetensors"
METADATA_FILE = "model.json"
TRAINED_ITEMS_FILE = "taken_items.parquet"
VERSION_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class SavedModel:
    """What `save_model` wrote, read back."""

    weights: dict[str, Tensor]
    """State of the network."""
    vocabulary: Vocabulary
    """Names behind its embedding rows."""
    metadata: dict[str, Any]
    """Content of model.json: `arguments` of the network, `model_version`, and more."""
    trained_items: pa.Array
    """Ids of the items that somebody had in what the weights learnt; see `read_trained_items`."""

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments the network was built with."""
        return dict(self.metadata["arguments"])


def save_model(
    folder: Path,
    model: nn.Module,
    vocabulary: Vocabulary,
    metadata: dict[str, Any],
    *,
    trained_items: pa.Array | None = None,
) -> str:
    """Write a model so that it can be loaded without the code that trained it.

    Args:
        folder: created if absent.
        model: its parameters and buffers are written.
        vocabulary: names behind its embedding rows.
        metadata: JSON-able; must hold `arguments`, the network's constructor arguments.
        trained_items: ids of the items that somebody had in what the weights learnt.

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
    described = {**metadata, "model_version": version}
    (folder / METADATA_FILE).write_text(json.dumps(described, indent=1), encoding="utf-8")
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
    """Read which items somebody had; of an earlier version, which did not count, all it knows."""
    file = folder / TRAINED_ITEMS_FILE
    if file.is_file():
        return pq.read_table(file)["item_id"].combine_chunks()
    return pa.array(load_vocabulary(folder).items, pa.string())


def read_metadata(folder: Path) -> dict[str, Any]:
    """Read model.json alone."""
    content: dict[str, Any] = json.loads((folder / METADATA_FILE).read_text(encoding="utf-8"))
    return content


def _state(model: nn.Module) -> list[tuple[str, Tensor]]:
    return sorted(model.state_dict().items())
