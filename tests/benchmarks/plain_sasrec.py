"""The plain torch loop that training is compared with."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import torch
from tests.benchmarks.topic_shop import EVENTS, ITEMS
from torch import Tensor, nn

from grove.features.sequences import Sequences
from grove.settings.models import StarsSettings


class PlainSasRec(nn.Module):
    """A minimal SASRec: item ids, positions, torch's own layers, tied output."""

    def __init__(self) -> None:
        super().__init__()
        sizes = StarsSettings()
        self.items = nn.Embedding(ITEMS + 1, sizes.width, padding_idx=0)
        self.positions = nn.Embedding(EVENTS, sizes.width)
        layer = nn.TransformerEncoderLayer(
            sizes.width, sizes.heads, 4 * sizes.width, sizes.dropout, batch_first=True
        )
        self.layers = nn.TransformerEncoder(layer, sizes.layers)

    def forward(self, rows: Tensor) -> Tensor:
        length = rows.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        tokens = self.items(rows) + self.positions.weight[:length]
        return self.layers(tokens, mask=mask, is_causal=True) @ self.items.weight.T  # [B, T, N+1]


def seconds_of_plain_epoch(sequences: Sequences) -> float:
    """Seconds of an epoch of the plain loop, after one that does not count."""
    torch.manual_seed(1)
    rows = sequences.batch(np.arange(len(sequences))).item_rows  # [U, T]
    model = PlainSasRec()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(2):
        started = perf_counter()
        for batch in rows[torch.randperm(len(rows))].split(StarsSettings().batch_size):
            optimizer.zero_grad()
            logits = model(batch[:, :-1])
            nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten()).backward()
            optimizer.step()
    return perf_counter() - started
