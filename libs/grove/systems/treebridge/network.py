"""TreeBridge's generator: one user encoder, and one decoder per tree that generates item paths.

`decoder` generates the path, `path_loss` computes its negative log-likelihood per tree, `objective`
adds the item-level loss, and `beam` decodes at inference.

Notable features:
- one user encoder and one set of item vectors, shared by all trees (multi-task);
- every position of a history is trained in one pass: a causal encoder over all prefixes;
- softmaxes over existing children only, so the probabilities of all items sum to one;
- items of a leaf are scored by their vectors, so an appended item needs no training;
- a keyword is the start token of the decoders.
Not built: user features beside the history, tuning of the language model; see README.md.

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

    One vector has three uses: input token, scores of a leaf's items, and the item's own score,
    which is independent of the trees. An item without training interactions has offset zero and is
    encoded from text and attributes alone. Text passes through two layers; with one, fewer
    cold-start items appeared in long lists.

    Source: ours; the paper does not describe the generator's item inputs.

    Args:
        width: D.
        text_width: E.
        rows: rows of the embedding tables `items` and `attributes`.
        item_input: `features`, or `id`: an id embedding with random initial values replaces text
            and attributes; an item without training interactions has the zero vector.
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
            [M, D], not normalised.
        """
        offsets: Tensor = self.offsets(known_rows(ids))  # [M, D]
        if self.id_only:
            return offsets
        vectors: Tensor = self.text(text) + self.attributes(attributes) + offsets
        return vectors  # [M, D]


class TreeBridge(nn.Module):
    """Multi-tree, multi-task generator: shared items and user encoder, one decoder per tree.

    Source: TreeBridge, Multi-Tree Multi-Task Generation Structure. Deviations: z_u is computed from
    the history alone; the leaf step (see `leaf_step`); the item inputs (see `ItemEmbedding`).

    Args:
        encoder: width D, layers, heads and dropout of the user encoder; the decoders have the same
            width and heads, and one layer.
        trees: name of a tree → its codes per level, K_1 .. K_L.
        capacity: τ, slots per leaf.
        text_width: E, of item texts and keywords.
        rows: rows of every embedding table: those of `EventEmbedding`, and `positions`.
        leaf_step: how the items of a leaf are scored: `item_score`, by the dot product with the
            item's vector, which new items have too; or `slot`, by decoding the slot number as one
            more code, as in the paper's fourth level.
        item_input: `features` or `id`; see `ItemEmbedding`. An id-only generator is a baseline; it
            cannot be exported.
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
