"""TreeBridge's generator: one user encoder, and one decoder per tree that spells an item's path.

What stands around it: `treebridge_decoder` spells, `treebridge_loss` says how surprised a tree is
at an item, `grove.systems.treebridge.objective` adds the trees' surprise and that of the item by
itself, `grove.systems.treebridge.beam` searches.

Shapes: B batch, T events, L levels, K_l codes of level l, τ leaf capacity, M items, A attributes,
D width, E text width, H heads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from grove.nn.embeddings import (
    ID_ONLY,
    AttributeEmbedding,
    id_embedding,
    known_rows,
    zero_embedding,
)
from grove.nn.user_encoder import UserEncoder
from grove.systems.treebridge.decoder import CodeDecoder

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
        item_input: `features`, or `id`: neither text nor attributes are read, and the ids' vectors
            start at random; an item that the model has not learnt has the zero vector.
    """

    def __init__(
        self, width: int, text_width: int, rows: Mapping[str, int], item_input: str = "features"
    ) -> None:
        super().__init__()
        self.id_only = ID_ONLY[item_input]
        hidden = TEXT_FACTOR * width
        if not self.id_only:
            self.text = nn.Sequential(
                nn.Linear(text_width, hidden), nn.ReLU(), nn.Linear(hidden, width)
            )
            self.attributes = AttributeEmbedding(width, rows["attributes"])
        table = id_embedding if self.id_only else zero_embedding
        self.offsets = table(rows["items"], width)

    def forward(self, ids: Tensor, attributes: Tensor, text: Tensor) -> Tensor:
        """Encode items.

        Args:
            ids: [M] int64 rows of the vocabulary; 1 is unknown.
            attributes: [M, A] int64, 0-padded.
            text: [M, E] float, unit norm.

        Returns:
            [M, D], of any norm.
        """
        offsets: Tensor = self.offsets(known_rows(ids))  # [M, D]
        if self.id_only:
            return offsets
        vectors: Tensor = self.text(text) + self.attributes(attributes) + offsets
        return vectors  # [M, D]


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
        item_input: `features` or `id`; see `ItemEmbedding`. A generator of ids alone is for
            comparison: it has no exported form.
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
        item_input: str = "features",
    ) -> None:
        super().__init__()
        width, heads = int(encoder["width"]), int(encoder["heads"])
        self.items = ItemEmbedding(width, text_width, rows, item_input)
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
