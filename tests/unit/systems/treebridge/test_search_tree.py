"""Counts below nodes, for anyone and for each user, against sets of items."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.systems.treebridge.random_tree import draw_case

from grove.systems.treebridge.search_tree import eligible_items, live_items


def items_below(tree, level, node):
    return set(np.flatnonzero(tree.item_nodes[level] == node).tolist())


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000))
def test_eligible_items_are_counted_below_every_node(seed):
    tree, scorer, eligible, _ = draw_case(seed)
    everything = np.ones_like(eligible)
    for mask, counted in (
        (eligible, eligible_items(scorer.tree, eligible)),
        (everything, eligible_items(scorer.tree, None)),
        (everything, eligible_items(scorer.tree, everything)),
    ):
        wanted = set(np.flatnonzero(mask & (tree.item_nodes[0] >= 0)).tolist())
        assert set(counted.items.nonzero()[:, 0].tolist()) == wanted
        for level, counts in enumerate(counted.counts):
            expected = [len(wanted & items_below(tree, level, node)) for node in range(len(counts))]
            assert counts.tolist() == expected
            assert counted.has_empty[level] == (0 in expected)


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000))
def test_excluded_items_are_not_counted_for_their_user(seed):
    tree, scorer, eligible, excluded = draw_case(seed)
    live = live_items(scorer.tree, eligible_items(scorer.tree, eligible), excluded)
    wanted = [
        set(np.flatnonzero(eligible & (tree.item_nodes[0] >= 0)).tolist()) - set(taken.tolist())
        for taken in excluded
    ]
    for level, codes in enumerate(tree.codes):
        nodes = torch.arange(len(codes)).expand(len(excluded), -1).contiguous()
        expected = [
            [len(items & items_below(tree, level, node)) for node in range(len(codes))]
            for items in wanted
        ]
        assert live.below(level, nodes).tolist() == expected
        open_to_others = live.eligible.counts[level] > 0
        emptied = (torch.tensor(expected) == 0) & open_to_others
        assert torch.stack(live.emptied[level], dim=1).tolist() == emptied.nonzero().tolist()
    rows = torch.arange(-1, len(eligible)).expand(len(excluded), -1).contiguous()
    assert live.allows(rows).tolist() == [
        [row in items for row in range(-1, len(eligible))] for items in wanted
    ]
