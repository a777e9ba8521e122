"""Random small trees with a scorer, and with items that some users must not get."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from grove.systems.treebridge.code_tree import build_code_tree
from grove.systems.treebridge.search_tree import search_tree

CAPACITY = 3


@dataclass(frozen=True)
class TableScorer:
    """Scores that depend on user, level and node, drawn once; a step is the paths' nodes."""

    tree: object
    level_scores: list
    item_scores: torch.Tensor

    def start(self):
        return torch.zeros(len(self.item_scores), 1, dtype=torch.int64)

    def code_scores(self, step, level):
        users = torch.arange(len(step))[:, None]
        return self.level_scores[level][users, step]

    def follow(self, step, level, paths, codes):
        parents = step.gather(1, paths)
        followed = torch.zeros_like(parents)
        for place, parent in np.ndenumerate(parents.numpy()):
            first, last = self.tree.child_start[level][parent : parent + 2].tolist()
            children = self.tree.codes[level][first:last].tolist()
            code = int(codes[place])  # a path that is not kept may ask for a missing child
            followed[place] = first + (children.index(code) if code in children else 0)
        return followed

    def leaf_scores(self, step, leaf_items):
        users = torch.arange(len(step))[:, None, None]
        return self.item_scores[users, leaf_items.clamp_min(0)]


def draw_case(seed):
    """A random tree, full or with gaps and items without a path; scorer, eligible items, taken."""
    generator = np.random.default_rng(seed)
    sizes = tuple(generator.integers(1, 5, size=generator.integers(1, 4)).tolist())
    places = np.array(list(np.ndindex(*sizes, CAPACITY)))
    full = generator.random() < 0.3
    items = len(places) if full else int(generator.integers(1, len(places) + 1))
    users = int(generator.integers(1, 4))
    chosen = places[generator.permutation(len(places))[:items]]
    paths = np.where(generator.random((items, 1)) < (0 if full else 0.1), -1, chosen[:, :-1])
    paths[0] = chosen[0, :-1]
    tree = build_code_tree(paths, chosen[:, -1], capacity=CAPACITY)
    torch.manual_seed(seed)
    above = [1, *(len(codes) for codes in tree.codes)]
    scores = [torch.randn(users, above[level], size) for level, size in enumerate(sizes)]
    scorer = TableScorer(search_tree(tree), scores, torch.randn(users, items))
    eligible = generator.random(items) < generator.choice([0.2, 0.7, 1.0])
    excluded = [
        np.flatnonzero(generator.random(items) < generator.choice([0.0, 0.3, 0.9]))
        for _ in range(users)
    ]
    return tree, scorer, eligible, excluded
