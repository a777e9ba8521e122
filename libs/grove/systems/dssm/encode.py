"""Item and user vectors of a trained DSSM.

Shapes: N items, B batch, D width.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from grove.inference.load import DotProductEncoder, last_events, load_network
from grove.systems.dssm.network import Dssm


def load_dssm(folder: str | Path, item_table: pa.Table) -> DotProductEncoder:
    """Load a model folder and encode a day's items with it.

    Args:
        folder: as `train_dssm_worker` wrote it.
        item_table: N items; new ones are encoded from their features.

    Returns:
        An encoder; vectors are of unit norm.
    """
    model, inputs, vectors = load_network(Dssm, folder, item_table)
    return DotProductEncoder(
        model=model,
        inputs=inputs,
        item_vectors=vectors,
        # [B, 1, D] -> [B, D]
        user_vectors=lambda batch, history: model.users(batch, history, last_events(batch))[:, 0],
    )


def encode_items(folder: str | Path, item_table: pa.Table) -> np.ndarray:
    """CF vectors of items, [N, D] float32, unit norm, in the table's order."""
    return np.asarray(load_dssm(folder, item_table).item_vectors[1:].numpy())
