"""A batch of few users with three kinds of events, and the inputs that its objective needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from tests.unit.training.synthetic import (
    OPTIONS,
    STRINGS,
    histories_of,
    shop_items,
    shop_vocabulary,
    write_shop,
)
from torch import Tensor, nn

from grove.features.sequences import SequenceBatch
from grove.features.vocabulary import Vocabulary
from grove.training.worker_inputs import WorkerInputs, read_worker_inputs

ITEMS = 12
WALKS = [[0, 1, 2, 1, 3, 1], [4, 1, 5, 4], [6], [1, 7, 7, 2, 8]]
KINDS = [
    ["click", "click", "cart", "order", "click", "click"],
    ["click", "cart", "click", "order"],
    ["order"],
    ["click", "click", "cart", "click", "order"],
]


def read_case(folder: Path, **options: Any) -> tuple[WorkerInputs, SequenceBatch]:
    """Inputs and the whole batch; every id is visible."""
    items, histories = shop_items(ITEMS), histories_of(WALKS)
    index = histories.column_names.index("event_types")
    histories = histories.set_column(index, "event_types", pa.array(KINDS, STRINGS))
    named = shop_vocabulary(items)
    vocabulary = Vocabulary.of_events(
        event_types=("cart", "click", "order"), regions=("north",), devices=("phone",)
    ).grow(list(named.items), list(named.attributes))
    spec = write_shop(
        folder,
        histories,
        items,
        vocabulary=vocabulary,
        options=OPTIONS | {"unknown_share": 0.0} | options,
    )
    inputs = read_worker_inputs(spec)
    return inputs, inputs.sequences.batch(np.arange(len(WALKS)))


def randomise(model: nn.Module) -> nn.Module:
    """Draw every weight: embedding tables start at zero, which would hide mistakes."""
    torch.manual_seed(7)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    return model.eval()


def rows_of(batch: SequenceBatch) -> list[list[int]]:
    """Item rows of each history, without padding."""
    return [
        user[:length]
        for user, length in zip(batch.item_rows.tolist(), batch.lengths.tolist(), strict=True)
    ]


def all_vectors(model_items: nn.Module, inputs: WorkerInputs) -> Tensor:
    """[N+1, D], row 0 (no item) zero."""
    features = inputs.features
    vectors: Tensor = model_items(features.ids, features.attributes, features.text)
    return torch.cat([torch.zeros_like(vectors[:1]), vectors[1:]])
