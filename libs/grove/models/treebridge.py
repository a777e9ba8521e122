"""TreeBridge's generator: one user encoder, and one decoder per tree that spells an item's path.

What stands around it: `treebridge_decoder` spells, `treebridge_loss` says how surprised a tree is
at an item, `grove.training.treebridge_objective` adds the trees' surprise and that of the item by
itself, `grove.inference.beam` searches.

Shapes: B batch, T events, L levels, K_l codes of level l, τ leaf capacity, M items, A attributes,
D width, E text width, H heads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from grove.models.embeddings import (
    AttributeEmbedding,
    EventBatch,
    EventEmbedding,
    known_rows,
    zero_embedding,
)
from grove.models.layers import FeedForward, SelfAttention
from grove.models.treebridge_decoder import FEED_FORWARD_FACTOR, CodeDecoder

TEXT_FACTOR = 2
"""Hidden units between an item's text and its vector, as a multiple of D."""


class ItemEmbedding(nn.Module):
    """An item's vector: mapped text, plus attributes, plus an id offset that starts at zero.

    The same vector is the input token, what a leaf's items are scored with, and what the item's
    own score is taken with, in which no tree has a part. An item the model has not learnt (today's
    new one) has offset zero and is read from its text and attributes. Text goes through two
    layers: through one, a long list had fewer of the new items.

    Args:
        width: D.
        text_width: E.
        rows: rows of the tables `items` and `attributes`.
    """

    def __init__(self, width: int, text_width: int, rows: Mapping[str, int]) -> None:
        super().__init__()
        hidden = TEXT_FACTOR * width
        self.text = nn.Sequential(
            nn.Linear(text_width, hidden), nn.ReLU(), nn.Linear(hidden, width)
        )
        self.attributes = AttributeEmbedding(width, rows["attributes"])
        self.offsets = zero_embedding(rows["items"], width)

    def forward(self, ids: Tensor, attributes: Tensor, text: Tensor) -> Tensor:
        """Encode items.

        Args:
            ids: [M] int64 rows of the vocabulary; 1 is unknown.
            attributes: [M, A] int64, 0-padded.
            text: [M, E] float, unit norm.

        Returns:
            [M, D], of any norm.
        """
        vectors: Tensor = (
            self.text(text) + self.attributes(attributes) + self.offsets(known_rows(ids))
        )
        return vectors  # [M, D]


class UserEncoder(nn.Module):
    """Causal transformer over the behaviour sequence; every position is a user state.

    Position t reads events up to t only. So one pass over a history trains on all its prefixes,
    which is sliding-window augmentation without copies.

    Source: TreeBridge, Implementation Details (1 layer, 128 wide, 8 heads; here settings).

    Args:
        width: D.
        layers: transformer layers.
        heads: H.
        rows: rows of the event tables, and `positions`, the most events.
        dropout: probability.
    """

    def __init__(
        self, width: int, layers: int, *, heads: int, rows: Mapping[str, int], dropout: float
    ) -> None:
        super().__init__()
        self.context = EventEmbedding(width, rows)
        self.position = zero_embedding(rows["positions"] + 1, width)
        self.dropout = nn.Dropout(dropout)
        self.attention = nn.ModuleList(SelfAttention(width, heads, dropout) for _ in range(layers))
        self.feed_forward = nn.ModuleList(
            FeedForward(width, FEED_FORWARD_FACTOR, dropout=dropout, hidden_dropout=dropout)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, batch: EventBatch, item_vectors: Tensor) -> Tensor:
        """Encode histories.

        Args:
            batch: right-padded histories; padding follows the events, so no event reads it.
            item_vectors: [B, T, D] of the events' items.

        Returns:
            [B, T, D], the user after each event.
        """
        length = item_vectors.shape[1]
        positions = torch.arange(1, length + 1, device=item_vectors.device)  # [T]
        states = item_vectors + self.context(batch) + self.position(positions)  # [B, T, D]
        states = self.dropout(states)
        for attention, feed_forward in zip(self.attention, self.feed_forward, strict=True):
            states = feed_forward(attention(states))
        encoded: Tensor = self.norm(states)
        return encoded


class TreeBridge(nn.Module):
    """Multi-tree, multi-task generator: shared items and user encoder, one decoder per tree.

    Source: TreeBridge, Multi-Tree Multi-Task Generation Structure.

    Args:
        encoder: width D, layers, heads and dropout of the user encoder; width and heads also of
            the decoders, which have one layer.
        trees: codes per level, K_1 .. K_L, by name of the tree.
        capacity: τ, slots per leaf.
        text_width: E, of item texts and keywords.
        rows: rows of every embedding table; see `EventEmbedding`, and `positions`.
        leaf_step: how a leaf's items are told apart: `item_score`, by the dot product with the
            item's vector, which a new item has too; or `slot`, by decoding the slot's number as
            one more code, as in the paper's fourth level.
    """

    def __init__(
        self,
        encoder: Mapping[str, float],
        trees: Mapping[str, Sequence[int]],
        *,
        capacity: int,
        text_width: int,
        rows: Mapping[str, int],
        leaf_step: str = "item_score",
    ) -> None:
        super().__init__()
        width, heads = int(encoder["width"]), int(encoder["heads"])
        self.items = ItemEmbedding(width, text_width, rows)
        self.users = UserEncoder(
            width, int(encoder["layers"]), heads=heads, rows=rows, dropout=encoder["dropout"]
        )
        self.decoders = nn.ModuleDict(
            {
                name: CodeDecoder(
                    width,
                    level_sizes,
                    heads=heads,
                    keyword_width=text_width,
                    slots=capacity if leaf_step == "slot" else 0,
                )
                for name, level_sizes in sorted(trees.items())
            }
        )

    def decoder(self, tree: str) -> CodeDecoder:
        """The decoder of one tree."""
        decoder = self.decoders[tree]
        assert isinstance(decoder, CodeDecoder)
        return decoder
