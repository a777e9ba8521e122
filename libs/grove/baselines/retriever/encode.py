"""Item and user vectors of a trained retriever.

Shapes: N items, B batch, T events, O width of the item vectors.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from torch import Tensor

from grove.baselines.retriever.network import Retriever
from grove.features.sequences import SequenceBatch
from grove.inference.load import DotProductEncoder, last_events, load_network
from grove.nn.embeddings import at_cuts


def load_retriever(folder: str | Path, item_table: pa.Table) -> DotProductEncoder:
    """Load a model folder and encode a day's items with it.

    Args:
        folder: as `train_retriever_worker` wrote it.
        item_table: N items; new ones are encoded from their text alone.

    Returns:
        An encoder; vectors are O wide, of any norm.
    """
    model, inputs, vectors = load_network(Retriever, folder, item_table)

    def after_last_event(batch: SequenceBatch, history: Tensor) -> Tensor:
        states = model(batch, history)  # [B, T, O]
        return at_cuts(states, last_events(batch))[:, 0]  # [B, O]

    return DotProductEncoder(
        model=model, inputs=inputs, item_vectors=vectors, user_vectors=after_last_event
    )
