"""Item and user vectors of a trained STARS, and the function a Spark worker runs.

Shapes: N items, U users, B batch, T events, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from grove.features.model_metadata import read_metadata
from grove.features.sequences import SequenceBatch
from grove.inference.load import LoadedInputs, in_batches, last_events, load_network
from grove.nn.embeddings import at_cuts
from grove.systems.stars.network import Stars
from grove.systems.stars.user_vectors import UserVectors


@dataclass(frozen=True, kw_only=True)
class StarsEncoder:
    """A loaded STARS; load it once, use it often."""

    model: Stars
    inputs: LoadedInputs
    item_vectors: Tensor
    """[N+1, D], candidate weights e_k, row 0 zero."""

    def users(self, histories: pa.Table) -> UserVectors[np.ndarray]:
        """Encode rows of `histories`.

        The popularity prior is not applied: it belongs to training (STARS §6.1, Table 3).

        Args:
            histories: U rows.

        Returns:
            h_gen and h_next, each [U, D] float32, to be ranked by dot product.
        """
        both = in_batches(histories, self.inputs.encoder, self._batch)  # [U, 2, D]
        return UserVectors(h_gen=both[:, 0], h_next=both[:, 1])

    def _batch(self, batch: SequenceBatch) -> np.ndarray:
        cuts = last_events(batch)  # [B, 1]
        users: UserVectors[Tensor] = self.model(batch, self.item_vectors[batch.item_rows], cuts)
        both = torch.cat([users.h_gen, at_cuts(users.h_next, cuts)], dim=1)  # [B, 2, D]
        return np.asarray(both.numpy())


def load_stars(folder: str | Path, item_table: pa.Table) -> StarsEncoder:
    """Load a model folder and encode a day's items with it.

    Args:
        folder: as `train_stars_worker` wrote it.
        item_table: N items; new ones have Δ = 0 and are encoded from text and attributes.

    Returns:
        An encoder.
    """
    model, inputs, vectors = load_network(Stars, folder, item_table)
    return StarsEncoder(model=model, inputs=inputs, item_vectors=vectors)


def user_embedding_batches(
    folder: str, item_table_path: str
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Build the function for Spark's `mapInArrow` that encodes users.

    Each worker process loads the model once, on its first batch; memory holds one batch of
    histories at a time.

    Args:
        folder: model folder, readable by every worker.
        item_table_path: Parquet file of the item table, readable by every worker.

    Returns:
        Record batches of `histories` → record batches of user_id, h_gen, h_next, model_version.
    """

    def encode(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                yield _user_embeddings(folder, item_table_path, batch)

    return encode


def _user_embeddings(folder: str, item_table_path: str, batch: pa.RecordBatch) -> pa.RecordBatch:
    users = _encoder_of_worker(folder, item_table_path).users(pa.Table.from_batches([batch]))
    version = read_metadata(Path(folder)).model_version
    return pa.RecordBatch.from_pydict(
        {
            "user_id": batch.column("user_id"),
            "h_gen": pa.array(list(users.h_gen), pa.list_(pa.float32())),
            "h_next": pa.array(list(users.h_next), pa.list_(pa.float32())),
            "model_version": pa.array([version] * batch.num_rows, pa.string()),
        }
    )


@lru_cache(maxsize=1)
def _encoder_of_worker(folder: str, item_table_path: str) -> StarsEncoder:
    """The one encoder of this worker process; Spark reuses workers across partitions."""
    return load_stars(folder, pq.read_table(item_table_path))
