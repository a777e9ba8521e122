"""Embedding of texts in a Spark worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from grove.texts.encoder import EncoderSpec, load_encoder

Batches: TypeAlias = Iterator[pa.RecordBatch]


def embedding_batches(spec: EncoderSpec, fingerprint: str) -> Callable[[Batches], Batches]:
    """Create the function that `mapInArrow` runs in each task.

    A worker loads the model once and keeps it for its next tasks. Spark's setting of one thread per
    worker is kept: more threads than cores halve the throughput.

    Args:
        spec: the encoder; its folder must exist on every worker.
        fingerprint: fingerprint of the encoder, from `encoder_fingerprint`.

    Returns:
        A function from batches with `text_hash, text` to batches with the columns of
        `text_embeddings`: `encoder, text_hash, vector`.
    """

    def embed(batches: Batches) -> Batches:
        for batch in batches:
            vectors = load_encoder(spec).encode(batch.column("text").to_pylist())  # [N, D]
            yield pa.RecordBatch.from_arrays(
                [
                    pa.array([fingerprint] * batch.num_rows, pa.string()),
                    batch.column("text_hash"),
                    _list_array(vectors),
                ],
                names=["encoder", "text_hash", "vector"],
            )

    return embed


def _list_array(vectors: np.ndarray) -> pa.Array:
    """[N, D] → N lists of D."""
    offsets = np.arange(0, vectors.size + 1, vectors.shape[1], dtype=np.int32)
    return pa.ListArray.from_arrays(offsets, pa.array(vectors.ravel(), pa.float32()))
