"""Search with a trained TreeBridge: histories in, ranked item rows out.

Shapes: U users, B batch, T events, N items, D width, E keyword width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from grove.errors import DataError
from grove.features.sequences import SequenceBatch
from grove.inference.load import LoadedInputs, in_batches, last_events, load_network
from grove.nn.embeddings import at_cuts
from grove.systems.treebridge.beam import Candidates, beam_search
from grove.systems.treebridge.decoder_scorer import DecoderScorer
from grove.systems.treebridge.fusion import Fusion, RankedList, fuse_candidates, rank_candidates
from grove.systems.treebridge.item_scores import boost_cold_items, weigh_items, weighs_items
from grove.systems.treebridge.network import TreeBridge
from grove.systems.treebridge.search_tree import (
    EligibleItems,
    SearchTree,
    eligible_items,
    live_items,
)
from grove.systems.treebridge.trained_tree import read_trained_tree
from grove.systems.treebridge.variants import best_variants, search_products

USERS_PER_SEARCH = 128
"""Users whose paths are scored together; a larger group takes more memory and saves no time."""


@dataclass(frozen=True, kw_only=True)
class SearchFilters:
    """Conditions of a search for U users; by default there are none."""

    eligible: np.ndarray | None = None
    """[N] bool over the item table; none: every item."""
    excluded: Sequence[np.ndarray] | None = None
    """U arrays of item rows that the user must not get; none: nothing is excluded."""
    keyword_vectors: np.ndarray | None = None
    """[U, E], what each user searches for, embedded like items; a row of zeros, or none:
    recommendation without a keyword."""
    products: np.ndarray | None = None
    """[N] int64, product of each item, of which a list holds the best item only; none: lists hold
    all items."""


NO_FILTERS = SearchFilters()


@dataclass(frozen=True, kw_only=True)
class FoundCandidates:
    """Candidates of some users from the trees' beams, before cold-start items are boosted."""

    by_tree: dict[str, Candidates]
    keywords: Tensor
    """[U, E] of the same users."""
    products: np.ndarray | None = None
    """As in `SearchFilters`."""


@dataclass(frozen=True, kw_only=True)
class Recommendations:
    """Ranked lists of the same users: both trees together, and each alone."""

    fused: RankedList
    by_tree: dict[str, RankedList]


@dataclass(frozen=True, kw_only=True)
class TreeBridgeSearcher:
    """The generator with the trees of a day; load it once, use it often."""

    model: TreeBridge
    inputs: LoadedInputs
    item_vectors: Tensor
    """[N+1, D], row 0 zero."""
    trees: dict[str, SearchTree]
    beam: int
    """Paths kept per level and tree."""
    fusion: Fusion
    """Fusion of the trees' candidates into one list."""
    weighs_items: bool
    """Whether the generator was trained with the item loss, so that items have own scores."""
    new_item_bonus: float
    """Log-score boost of cold-start items; see `boost_cold_items`."""

    def recommend(
        self, histories: pa.Table, *, k: int, filters: SearchFilters = NO_FILTERS
    ) -> RankedList:
        """Rank items for users by both trees together: `find`, then `fuse`."""
        found = self.find(histories, k=k, filters=filters)
        return _stacked([self.fuse(piece, k=k) for piece in found])

    def search(
        self, histories: pa.Table, *, k: int, filters: SearchFilters = NO_FILTERS
    ) -> Recommendations:
        """Rank items as `recommend` does, and by each tree alone, from one search."""
        fused: list[RankedList] = []
        by_tree: dict[str, list[RankedList]] = {name: [] for name in self.trees}
        for found in self.find(histories, k=k, filters=filters):
            boosted = self._boosted(found)
            fused.append(self._fused(boosted, k, found.products))
            for name, candidates in boosted.items():
                by_tree[name].append(_ranked(candidates, k, found.products))
        alone = {name: _stacked(lists) for name, lists in by_tree.items()}
        return Recommendations(fused=_stacked(fused), by_tree=alone)

    def find(
        self,
        histories: pa.Table,
        *,
        k: int,
        filters: SearchFilters = NO_FILTERS,
    ) -> Iterator[FoundCandidates]:
        """Search every tree once for U users, at most `USERS_PER_SEARCH` of them at a time.

        Args:
            histories: U rows of `histories`; a user without events has the state of one event
                with unknown fields, so all such users get one list.
            k: items per user; a user with at least k allowed items, or products, in a tree gets k.
            filters: of the same U users.

        Yields:
            Candidates of the users in the order of the histories, to be ranked by `fuse`.

        Raises:
            DataError: a keyword vector is not finite, or its width is not that of the item texts.
        """
        states = in_batches(histories, self.inputs.encoder, self._states)  # [U, D]
        width = self.inputs.features.text.shape[1]
        keywords, excluded = filters.keyword_vectors, filters.excluded
        if keywords is None:
            keywords = np.zeros((len(states), width), dtype=np.float32)
        _require_keywords(keywords, len(states), width)
        if excluded is None:
            excluded = [np.zeros(0, dtype=np.int64)] * len(states)
        eligible = {
            name: eligible_items(tree, filters.eligible) for name, tree in self.trees.items()
        }
        for piece in _pieces(len(states)):
            search = partial(
                self._search_trees, states[piece], keywords[piece], eligible, excluded[piece]
            )
            products = filters.products
            found = search(k) if products is None else search_products(search, products, k)
            asked = torch.from_numpy(keywords[piece].astype(np.float32))
            yield FoundCandidates(by_tree=found, keywords=asked, products=products)

    def fuse(self, found: FoundCandidates, *, k: int) -> RankedList:
        """Rank the candidates of all trees together, cold-start items boosted.

        Items of equal scores are ordered by row.

        Args:
            found: from `find`.
            k: items per user; with a larger k than in `find` a list may end early.

        Returns:
            Rows and scores, [U, k] each.
        """
        return self._fused(self._boosted(found), k, found.products)

    def _states(self, batch: SequenceBatch) -> np.ndarray:
        """User states after the last event of each history, [B, D]."""
        states = self.model.users(batch, self.item_vectors[batch.item_rows])  # [B, T, D]
        return np.asarray(at_cuts(states, last_events(batch))[:, 0].numpy())

    def _search_trees(
        self,
        states: np.ndarray,
        keywords: np.ndarray,
        eligible: Mapping[str, EligibleItems],
        excluded: Sequence[np.ndarray],
        minimum: int,
    ) -> dict[str, Candidates]:
        found: dict[str, Candidates] = {}
        with torch.inference_mode():
            query = {
                "states": torch.from_numpy(states),
                "keywords": torch.from_numpy(keywords.astype(np.float32)),
                "item_vectors": self.item_vectors,
            }
            for name, tree in self.trees.items():
                scorer = DecoderScorer(decoder=self.model.decoder(name), **query)
                # Filters act inside the beam: after it, a list could end before k items.
                live = live_items(tree, eligible[name], excluded)
                found[name] = beam_search(scorer, tree, live, beam=self.beam, minimum=minimum)
            if self.weighs_items:
                # Of all trees at once: their scores are divided by one number per user.
                found = weigh_items(found, **query)
        return found

    def _fused(
        self, candidates: Mapping[str, Candidates], k: int, products: np.ndarray | None
    ) -> RankedList:
        trees = list(candidates.values())
        if products is None:
            return fuse_candidates(trees, k=k, fusion=self.fusion)
        width = sum(tree.rows.shape[1] for tree in trees)
        return best_variants(fuse_candidates(trees, k=width, fusion=self.fusion), k, products)

    def _boosted(self, found: FoundCandidates) -> dict[str, Candidates]:
        if not self.new_item_bonus:
            return found.by_tree
        return boost_cold_items(
            found.by_tree,
            keywords=found.keywords,
            cold_items=self.inputs.cold_items,
            bonus=self.new_item_bonus,
        )


def _ranked(candidates: Candidates, k: int, products: np.ndarray | None) -> RankedList:
    if products is None:
        return rank_candidates(candidates, k=k)
    return best_variants(rank_candidates(candidates, k=candidates.rows.shape[1]), k, products)


def load_searcher(
    folder: str | Path,
    item_table: pa.Table,
    codes: Mapping[str, pa.Table],
    *,
    beam: int,
    fusion: Fusion,
    new_item_bonus: float,
) -> TreeBridgeSearcher:
    """Load a model folder with a day's items and codes.

    Items appended to the trees since training are found like the others: the decoder knows their
    leaf, and inside it they are scored by their text and attributes.

    Args:
        folder: as `train_treebridge_worker` wrote it.
        item_table: N items, as `grove.features.items.build_item_table` returns them.
        codes: item_id, path, slot of each tree, of the generation the model was trained on.
        beam: paths kept per level and tree.
        fusion: how the trees' candidates become one list; see `fuse_candidates`.
        new_item_bonus: log-score boost of cold-start items.

    Returns:
        A searcher.

    Raises:
        DataError: the codes do not fit the model's trees. Codes of another generation that fit
            are not detected here: evaluation and publication compare generations.
    """
    model, inputs, vectors = load_network(TreeBridge, folder, item_table)
    trees = {
        name: read_trained_tree(inputs, codes, name)
        for name in sorted(inputs.saved.arguments["trees"])
    }
    return TreeBridgeSearcher(
        model=model,
        inputs=inputs,
        item_vectors=vectors,
        trees=trees,
        beam=beam,
        fusion=fusion,
        weighs_items=weighs_items(inputs.saved),
        new_item_bonus=new_item_bonus,
    )


def _require_keywords(vectors: np.ndarray, users: int, width: int) -> None:
    finite = bool(np.isfinite(vectors).all())
    if vectors.shape == (users, width) and finite:
        return
    raise DataError(
        "keyword vectors do not fit the generator",
        where="search of the trees",
        expected=f"[{users}, {width}] finite numbers",
        found=f"{list(vectors.shape)} numbers{'' if finite else ', some not finite'}",
        next_step="embed keywords with the encoder that embedded the items",
    )


def _pieces(users: int) -> list[slice]:
    return [
        slice(start, start + USERS_PER_SEARCH)
        for start in range(0, max(users, 1), USERS_PER_SEARCH)
    ]


def _stacked(lists: Sequence[RankedList]) -> RankedList:
    return np.concatenate([rows for rows, _ in lists]), np.concatenate([s for _, s in lists])
