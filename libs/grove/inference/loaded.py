"""A trained model made ready: weights, item features, and an encoder of histories."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import nn

from grove.features.items import ItemFeatures, item_features
from grove.features.model_folder import SavedModel, read_model
from grove.features.sequences import HistoryEncoder, SequenceBatch

ITEMS_PER_BATCH = 4_096
USERS_PER_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class LoadedInputs:
    """Everything but the network."""

    saved: SavedModel
    """Content of the model folder."""
    features: ItemFeatures
    """Of the items of the table it was loaded for, encoded with the model's vocabulary."""
    encoder: HistoryEncoder
    """For histories over these items."""


def load_inputs(
    folder: str | Path, item_table: pa.Table, *, queries: pa.Array | None = None
) -> LoadedInputs:
    """Read a model folder and encode the items of a day for it.

    Args:
        folder: as training wrote it.
        item_table: as `grove.features.items.build_item_table` returns it; items that the model
            never saw are encoded as unknown ones with their features.
        queries: texts of the query vector table, where the model reads queries.

    Returns:
        Inputs for the network.
    """
    saved = read_model(Path(folder))
    return LoadedInputs(
        saved=saved,
        features=item_features(item_table, saved.vocabulary),
        encoder=HistoryEncoder(
            vocabulary=saved.vocabulary,
            item_ids=item_table["item_id"].combine_chunks(),
            queries=queries,
            max_events=saved.metadata["max_events"],
        ),
    )


def with_weights(model: nn.Module, inputs: LoadedInputs) -> None:
    """Load the saved weights into a freshly built network and make it deterministic."""
    model.load_state_dict(inputs.saved.weights)
    model.eval()
    model.requires_grad_(requires_grad=False)


def encode_all_items(model_items: nn.Module, features: ItemFeatures) -> torch.Tensor:
    """Vectors of all items, in pieces.

    Args:
        model_items: called with ids, attributes and text.
        features: of N items.

    Returns:
        [N+1, D], row 0 (no item) zero.
    """
    pieces = [
        model_items(
            features.ids[start : start + ITEMS_PER_BATCH],
            features.attributes[start : start + ITEMS_PER_BATCH],
            features.text[start : start + ITEMS_PER_BATCH],
        )
        for start in range(0, len(features.ids), ITEMS_PER_BATCH)
    ]
    vectors = torch.cat(pieces)  # [N+1, D]
    vectors[0] = 0
    return vectors


def in_batches(
    histories: pa.Table, encoder: HistoryEncoder, encode: Callable[[SequenceBatch], np.ndarray]
) -> np.ndarray:
    """Encode users a few hundred at a time.

    Args:
        histories: U rows of `histories`.
        encoder: for these histories.
        encode: batch of B → array [B, …].

    Returns:
        [U, …], in the order of the rows.
    """
    pieces = list(_encoded(histories, encoder, encode))
    return np.concatenate(pieces)


def _encoded(
    histories: pa.Table, encoder: HistoryEncoder, encode: Callable[[SequenceBatch], np.ndarray]
) -> Iterator[np.ndarray]:
    for start in range(0, max(len(histories), 1), USERS_PER_BATCH):
        sequences = encoder.encode(histories.slice(start, USERS_PER_BATCH))
        with torch.inference_mode():
            yield encode(sequences.batch(np.arange(len(sequences))))
