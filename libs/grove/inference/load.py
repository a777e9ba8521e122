"""Loading of trained models: weights, item features, and an encoder of histories."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor, nn

from grove.errors import DataError
from grove.features.items import ItemFeatures, item_features
from grove.features.model_folder import SavedModel, read_model
from grove.features.sequences import HistoryEncoder, SequenceBatch

ITEMS_PER_BATCH = 4_096
USERS_PER_BATCH = 256
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class LoadedInputs:
    """Inputs of a loaded network."""

    saved: SavedModel
    """Content of the model folder."""
    features: ItemFeatures
    """Features of the items it was loaded for, encoded with the model's vocabulary."""
    encoder: HistoryEncoder
    """Encoder of histories over these items."""
    cold_items: Tensor
    """[N+1] bool, row 0 no item: items without training interactions."""


@dataclass(frozen=True, kw_only=True)
class DotProductEncoder:
    """A model that ranks items by dot product with the user; load it once, use it often."""

    model: nn.Module
    inputs: LoadedInputs
    item_vectors: Tensor
    """[N+1, D], row 0 zero."""
    user_vectors: Callable[[SequenceBatch, Tensor], Tensor]
    """A batch and the vectors [B, T, D] of its events' items, to users, [B, D]."""

    def users(self, histories: pa.Table) -> np.ndarray:
        """Encode rows of `histories`: [U, D] float32."""
        return in_batches(histories, self.inputs.encoder, self._batch)

    def _batch(self, batch: SequenceBatch) -> np.ndarray:
        return np.asarray(self.user_vectors(batch, self.item_vectors[batch.item_rows]).numpy())


def load_inputs(
    folder: str | Path, item_table: pa.Table, *, queries: pa.Array | None = None
) -> LoadedInputs:
    """Read a model folder and encode the items of a day for it.

    Args:
        folder: as training wrote it.
        item_table: as `grove.features.items.build_item_table` returns it; items that were not in
            training are encoded as unknown ids with their features.
        queries: texts of the query vector table, where the model reads queries.

    Returns:
        Inputs for the network.
    """
    saved = read_model(Path(folder))
    features = item_features(item_table, saved.vocabulary)
    return LoadedInputs(
        saved=saved,
        features=features,
        encoder=HistoryEncoder(
            vocabulary=saved.vocabulary,
            item_ids=item_table["item_id"].combine_chunks(),
            queries=queries,
            max_events=saved.metadata.max_events,
        ),
        cold_items=_cold_items(saved, item_table["item_id"]),
    )


def load_network(
    build: Callable[..., Network], folder: str | Path, item_table: pa.Table
) -> tuple[Network, LoadedInputs, Tensor]:
    """Build a network from its folder, and encode a day's items with it.

    Args:
        build: the network's class; the folder holds its arguments.
        folder: as training wrote it.
        item_table: N items; new ones are encoded from their features.

    Returns:
        The network with its saved weights, without gradients or dropout; its inputs; and the
        items' vectors, [N+1, D], row 0 zero.
    """
    inputs = load_inputs(folder, item_table)
    model = build_network(build, inputs.saved, folder)
    with torch.inference_mode():
        vectors = encode_all_items(model.get_submodule("items"), inputs.features)  # [N+1, D]
    return model, inputs, vectors


def build_network(build: Callable[..., Network], saved: SavedModel, folder: str | Path) -> Network:
    """Build a network with its saved weights, without gradients or dropout.

    Args:
        build: the network's class.
        saved: content of the model folder.
        folder: where that was read, for messages.

    Raises:
        DataError: the weights do not fit the network, such as those of an earlier version.
    """
    model = build(**saved.arguments)
    try:
        model.load_state_dict(saved.weights)
    except RuntimeError as error:
        raise _other_network(folder, str(error)) from error
    return model.eval().requires_grad_(requires_grad=False)


def _cold_items(saved: SavedModel, item_ids: pa.ChunkedArray) -> Tensor:
    trained = pc.is_in(item_ids, value_set=saved.trained_items).to_numpy()  # [N]
    return torch.from_numpy(np.append(False, ~trained))


def _other_network(folder: str | Path, found: str) -> DataError:
    return DataError(
        "a model's weights do not fit its network",
        where=str(folder),
        expected="weights that this version of the code saved",
        found=" ".join(found.split()),
        next_step="run a day with `make trigger DAY=<day> RETRAIN=1`, or use the code of that time",
    )


def last_events(batch: SequenceBatch) -> Tensor:
    """Position of every history's last event, where its user is encoded: [B, 1] int64."""
    return (batch.lengths - 1).clamp_min(0)[:, None]


def encode_all_items(model_items: nn.Module, features: ItemFeatures) -> Tensor:
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
