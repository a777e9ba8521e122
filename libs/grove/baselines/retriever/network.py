"""Retrievers that TreeBridge is compared with: its user encoder with a dot product and no tree.

Shapes: B batch, T events, M items, D width, E text width, O width of the item vectors (E with the
adapter `frozen`, else D).
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from grove.errors import SettingsError
from grove.nn.embeddings import EventBatch, known_rows, zero_embedding
from grove.nn.user_encoder import UserEncoder

ADAPTERS = ("frozen", "linear", "fused")
"""Adapter between the LLM's text vector of an item and the dot product; see `AdaptedItem`."""
HIDDEN_FACTOR = 2
"""Hidden units of the adapter `fused`, as a multiple of D."""


class AdaptedItem(nn.Module):
    """An item's vector from the LLM's vector of its text, by the adapter of one of three baselines.

    `frozen`
        the text vector itself, O = E: no id, no attribute, no parameter. TreeBridge's
        "LLM-only".
    `linear`
        a learned linear map of it, and nothing else. TreeBridge's "EASE", which is not the
        closed-form item model of the same name; that one is `grove.baselines.ease`.
    `fused`
        a two-layer map of it plus the id's vector, which starts at zero; an unknown id adds
        nothing. TreeBridge's "PRECISE", of which this is the item side alone: with one scene there
        is no pre-training over several.

    Source: TreeBridge, Comparison Baselines and RQ1, which describe each of the three in
    a line; their exact form is ours.

    Args:
        adapter: one of `ADAPTERS`.
        width: D.
        text_width: E.
        rows: rows of the table `items`.
    """

    def __init__(self, adapter: str, width: int, *, text_width: int, rows: int) -> None:
        super().__init__()
        self.text = _text_map(adapter, width, text_width)
        self.offsets = zero_embedding(rows, width) if adapter == "fused" else None

    def forward(self, ids: Tensor, _attributes: Tensor, text: Tensor) -> Tensor:
        """Encode items; attributes are accepted, as by other models' items, but ignored.

        Args:
            ids: [M] int64 rows of the vocabulary; 1 is unknown.
            text: [M, E] float, unit norm.

        Returns:
            [M, O]; of unit norm with `frozen`, else of any.
        """
        vectors: Tensor = self.text(text)  # [M, O]
        return vectors if self.offsets is None else vectors + self.offsets(known_rows(ids))


class Retriever(nn.Module):
    """TreeBridge's user encoder, whose state is compared with every item's vector.

    A score is a dot product, for all adapters alike and without a temperature: the norm of the
    user's vector is learned and acts as a temperature.

    With `linear` and `fused` an item's vector is also its token in the history: they are tied.
    With `frozen` the encoder needs two linear maps, because it is D wide: E → D for the token and
    D → E for the user's state, which is then compared in the text's own space. The second, W, makes
    its scores those of a linear adapter, (W·s)·x = s·(Wᵀ·x). `frozen` differs from `linear` in that
    token and score are not tied, and in one score per item that is the same for all users. Their
    results should be similar.

    Source: TreeBridge, RQ1 ("LLM-only") and RQ2 ("EASE", "PRECISE").

    Args:
        encoder: width D, layers, heads and dropout of the user encoder, as TreeBridge's.
        adapter: one of `ADAPTERS`; see `AdaptedItem`.
        text_width: E.
        rows: rows of every table by field of the vocabulary, and `positions`, the most events.

    Raises:
        SettingsError: there is no such adapter.
    """

    def __init__(
        self,
        encoder: Mapping[str, float],
        adapter: str,
        *,
        text_width: int,
        rows: Mapping[str, int],
    ) -> None:
        super().__init__()
        width = int(encoder["width"])
        self.items = AdaptedItem(adapter, width, text_width=text_width, rows=rows["items"])
        self.users = UserEncoder(
            width,
            int(encoder["layers"]),
            heads=int(encoder["heads"]),
            rows=rows,
            dropout=encoder["dropout"],
        )
        frozen = adapter == "frozen"
        self.token = nn.Linear(text_width, width) if frozen else nn.Identity()
        self.head = nn.Linear(width, text_width) if frozen else nn.Identity()

    def forward(self, batch: EventBatch, item_vectors: Tensor) -> Tensor:
        """Encode histories.

        Args:
            batch: right-padded histories; padding follows the events, so no event reads it.
            item_vectors: [B, T, O] of the events' items, from `self.items`; zero for no item.

        Returns:
            [B, T, O], the user after each event, to be compared with item vectors.
        """
        states = self.users(batch, self.token(item_vectors))  # [B, T, D]
        vectors: Tensor = self.head(states)  # [B, T, O]
        return vectors


def _text_map(adapter: str, width: int, text_width: int) -> nn.Module:
    """Map of a text vector by an adapter: [M, E] → [M, O]."""
    if adapter == "frozen":
        return nn.Identity()
    if adapter == "linear":
        return nn.Linear(text_width, width)
    if adapter == "fused":
        hidden = HIDDEN_FACTOR * width
        return nn.Sequential(nn.Linear(text_width, hidden), nn.ReLU(), nn.Linear(hidden, width))
    raise SettingsError(
        "a retriever has no such adapter",
        where="option adapter",
        expected=f"one of {', '.join(ADAPTERS)}",
        found=adapter,
        next_step="name one of them",
    )
