"""Item and user vectors of a trained DSSM.

Shapes: N items, U users, B batch, T events, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from torch import Tensor

from grove.features.sequences import SequenceBatch
from grove.inference.loaded import LoadedInputs, in_batches, last_events, load_network
from grove.models.dssm import Dssm


@dataclass(frozen=True, kw_only=True)
class DssmEncoder:
    """A DSSM ready to encode; load it once, use it often."""

    model: Dssm
    inputs: LoadedInputs
    item_vectors: Tensor
    """[N+1, D], row 0 zero."""

    def users(self, histories: pa.Table) -> np.ndarray:
        """Encode rows of `histories`: [U, D] float32, unit norm."""
        return in_batches(histories, self.inputs.encoder, self._batch)

    def _batch(self, batch: SequenceBatch) -> np.ndarray:
        cuts = last_events(batch)  # [B, 1]
        vectors = self.model.users(batch, self.item_vectors[batch.item_rows], cuts)  # [B, 1, D]
        return np.asarray(vectors[:, 0].numpy())


def load_dssm(folder: str | Path, item_table: pa.Table) -> DssmEncoder:
    """Load a model folder and encode a day's items with it.

    Args:
        folder: as `train_dssm_rank` wrote it.
        item_table: N items; new ones are encoded from their features.

    Returns:
        An encoder.
    """
    model, inputs, vectors = load_network(Dssm, folder, item_table)
    return DssmEncoder(model=model, inputs=inputs, item_vectors=vectors)


def encode_items(folder: str | Path, item_table: pa.Table) -> np.ndarray:
    """CF vectors of items, [N, D] float32, unit norm, in the table's order."""
    return np.asarray(load_dssm(folder, item_table).item_vectors[1:].numpy())
