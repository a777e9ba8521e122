"""Item and user vectors of a trained recaller.

Shapes: N items, U users, B batch, T events, O width of the item vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from torch import Tensor

from grove.features.sequences import SequenceBatch
from grove.inference.loaded import LoadedInputs, in_batches, last_events, load_network
from grove.models.embeddings import at_cuts
from grove.models.recaller import Recaller


@dataclass(frozen=True, kw_only=True)
class RecallerEncoder:
    """A recaller ready to encode; load it once, use it often."""

    model: Recaller
    inputs: LoadedInputs
    item_vectors: Tensor
    """[N+1, O], row 0 zero."""

    def users(self, histories: pa.Table) -> np.ndarray:
        """Encode rows of `histories`: [U, O] float32, to be ranked by dot product."""
        return in_batches(histories, self.inputs.encoder, self._batch)

    def _batch(self, batch: SequenceBatch) -> np.ndarray:
        states = self.model(batch, self.item_vectors[batch.item_rows])  # [B, T, O]
        return np.asarray(at_cuts(states, last_events(batch))[:, 0].numpy())


def load_recaller(folder: str | Path, item_table: pa.Table) -> RecallerEncoder:
    """Load a model folder and encode a day's items with it.

    Args:
        folder: as `train_recaller_rank` wrote it.
        item_table: N items; new ones are encoded from their text alone.

    Returns:
        An encoder.
    """
    model, inputs, vectors = load_network(Recaller, folder, item_table)
    return RecallerEncoder(model=model, inputs=inputs, item_vectors=vectors)
