"""The inputs of a training worker: item features, vocabulary and the worker's users."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from grove.features.history_files import read_sequences
from grove.features.items import ItemFeatures, item_features
from grove.features.sequences import HistoryEncoder, SequenceBatch, Sequences
from grove.features.vocabulary import Vocabulary, load_vocabulary
from grove.training.collectives import sum_over_workers, world
from grove.training.job_spec import ITEM_TABLE_FILE, QUERY_VECTORS_FILE, TrainingSpec
from grove.training.options import SamplingOptions, read_options
from grove.training.process_group import accelerator


@dataclass(frozen=True, kw_only=True)
class WorkerInputs:
    """Data that one worker trains on."""

    spec: TrainingSpec
    """Specification of the training."""
    vocabulary: Vocabulary
    """Names behind every row."""
    features: ItemFeatures
    """Of all items, on the worker's device."""
    sequences: Sequences
    """This worker's users."""
    device: str
    """Device of all tensors."""

    @property
    def rows(self) -> dict[str, int]:
        """Rows of every embedding table, as the networks' constructors take them."""
        return {name: self.vocabulary.rows(name) for name in self.vocabulary.tables} | {
            "positions": self.spec.max_events
        }

    @property
    def sampling(self) -> SamplingOptions:
        """Sampling of the items of a step."""
        return read_options(SamplingOptions, self.spec.options)

    def on_device(self, batch: SequenceBatch) -> SequenceBatch:
        """Move a batch to where the model is."""
        return batch if self.device == "cpu" else batch.to(self.device)

    def positives(self, *, fresh_only: bool) -> Tensor:
        """Positives per item over all workers' users, [N] float, without held-out users."""
        rows = self.sequences.item_rows
        rows = rows[self.sequences.fresh] if fresh_only else rows
        counts = np.bincount(rows, minlength=self.features.count + 1)[1:]  # [N]
        return sum_over_workers(torch.from_numpy(counts).double()).float().to(self.device)


def read_worker_inputs(spec: TrainingSpec) -> WorkerInputs:
    """Read item table, vocabulary and this worker's users."""
    rank, workers = world()
    vocabulary = load_vocabulary(spec.input_folder)
    item_table = pq.read_table(spec.input_folder / ITEM_TABLE_FILE)
    device = accelerator(rank) if spec.use_gpu else "cpu"
    encoder = HistoryEncoder(
        vocabulary=vocabulary,
        item_ids=item_table["item_id"].combine_chunks(),
        queries=_query_names(spec.input_folder),
        learned_through=spec.learned_day,
        max_events=spec.max_events,
    )
    sequences = read_sequences(
        spec.files, encoder, share=rank, shares=workers, excluded=spec.excluded
    )
    return WorkerInputs(
        spec=spec,
        vocabulary=vocabulary,
        features=item_features(item_table, vocabulary).to(device),
        sequences=sequences if spec.learn_repeats else sequences.without_repeats(),
        device=device,
    )


def _query_names(folder: Path) -> pa.Array | None:
    file = folder / QUERY_VECTORS_FILE
    if not file.is_file():
        return None
    return pq.read_table(file, columns=["query"])["query"].combine_chunks()
