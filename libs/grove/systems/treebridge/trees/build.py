"""Construction of a tree from vectors, top-down, one level at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from grove.systems.treebridge.trees.codebooks import (
    distinct_codes,
    renaming_to_overlap,
    residual_codebook,
)
from grove.systems.treebridge.trees.inheritance import (
    OldCodes,
    inherited_starts,
    rows_built_from,
    shared_codes,
)
from grove.systems.treebridge.trees.kmeans import group_means, split_nodes
from grove.systems.treebridge.trees.requirements import require_item_ids, require_vectors
from grove.systems.treebridge.trees.shape import TreeShape, fit_level_sizes
from grove.systems.treebridge.trees.tree import Tree, paths_of_leaves

FINGERPRINT_DIGITS = 12


@dataclass(frozen=True)
class Level:
    """One level's nodes, in the order of their paths."""

    nodes: np.ndarray
    """[N] int64, the node of each item."""
    centroids: np.ndarray
    """[K_1 ... K_l, D] float32."""
    codebook: np.ndarray
    """[K_l, D] float32."""


def build_tree(
    vectors: np.ndarray,
    item_ids: Sequence[str] | np.ndarray,
    *,
    shape: TreeShape,
    iterations: int,
    seed: int,
    previous: Tree | None = None,
) -> Tree:
    """Build a balanced tree whose codes mean the same thing everywhere on a level.

    Per level: balanced k-means splits every node, residual k-means over all items finds
    the level's codebook, and siblings get distinct codes of it. With a tree in use, k-means starts
    at its nodes, which keep their codes; see `grove.systems.treebridge.trees.inheritance`.

    Items with equal vectors are distributed by the seed and the order of their ids over as many
    neighbouring leaves as they need, mostly below one parent.

    Source: TreeBridge, Tree Encoder Generation; the start from a tree in use is ours.

    Args:
        vectors: [N, D] float, finite, no zero vector.
        item_ids: N distinct ids; their order decides slots and ties.
        shape: codes per level, τ and headroom.
        iterations: k-means rounds per split from scratch.
        seed: of all samples, and of the first centroids of splits from scratch.
        previous: tree in use, most of whose items keep their codes.

    Returns:
        A tree with at most `shape.leaf_fill` items per leaf, leaf sizes differing by at
        most one.

    Raises:
        DataError: invalid vectors, ids that repeat, or a shape that does not fit the items.

    Example:
        >>> shape = TreeShape(level_sizes=(2,), leaf_capacity=2, headroom=0.0)
        >>> tree = build_tree(np.eye(4), ["a", "b", "c", "d"], shape=shape, iterations=5, seed=0)
        >>> np.bincount(tree.leaves).tolist()
        [2, 2]
    """
    dense = require_vectors(vectors, item_ids)
    ids = require_item_ids(item_ids, len(dense))
    level_sizes = fit_level_sizes(shape, len(dense))
    if previous is not None and previous.leaf_capacity == shape.leaf_capacity:
        unchanged = rows_built_from(previous, dense, ids, level_sizes)
        if unchanged is not None:
            return _reordered(previous, unchanged)
    kept = shared_codes(ids, previous)
    level = _root(dense)
    levels: list[Level] = []
    for size in level_sizes:
        above = level_sizes[: len(levels)]
        starts = inherited_starts(dense, level.nodes, kept, (*above, size))
        level = _split_level(dense, level, size, starts, iterations=iterations, seed=seed)
        level = _rename(level, kept, above)
        levels.append(level)
    slots = _slots_in_order(level.nodes)
    return Tree(
        level_sizes=level_sizes,
        leaf_capacity=shape.leaf_capacity,
        codebooks=tuple(one.codebook for one in levels),
        centroids=tuple(one.centroids for one in levels),
        item_ids=ids,
        leaves=level.nodes,
        slots=slots,
        generation=_fingerprint(levels, ids, slots, shape.leaf_capacity),
        distortion_at_build=mean_squared_distance(dense, level.centroids, level.nodes),
    )


def _reordered(tree: Tree, rows: np.ndarray) -> Tree:
    """The same tree with its items in another order."""
    return replace(
        tree,
        item_ids=tree.item_ids[rows],
        leaves=tree.leaves[rows],
        slots=tree.slots[rows],
    )


def mean_squared_distance(vectors: np.ndarray, centroids: np.ndarray, nodes: np.ndarray) -> float:
    """Mean squared distance of vectors [N, D] to centroids [M, D] of their nodes [N]."""
    total = 0.0
    block = max(1, (1 << 24) // vectors.shape[1])
    for start in range(0, len(vectors), block):
        rows = slice(start, start + block)
        offsets = vectors[rows] - centroids[nodes[rows]]  # [block, D]
        total += float(np.einsum("nd,nd->", offsets, offsets))
    return total / len(vectors)


def _root(vectors: np.ndarray) -> Level:
    """The level above the first: one node at zero, so that first residuals are the vectors."""
    width = vectors.shape[1]
    zero = np.zeros((1, width), dtype=np.float32)
    return Level(np.zeros(len(vectors), dtype=np.int64), zero, zero)


def _split_level(
    vectors: np.ndarray,
    above: Level,
    size: int,
    starts: Sequence[np.ndarray | None],
    *,
    iterations: int,
    seed: int,
) -> Level:
    """Split every node into `size` children and name them by the level's codebook.

    Children that started at nodes of the old tree keep their codes; a code's vector is then the
    mean offset of such children from their parents.
    """
    children = split_nodes(
        vectors, above.nodes, size, iterations=iterations, seed=seed, starts=starts
    )  # [N]
    parents = len(above.centroids)
    nodes = above.nodes * size + children  # [N]
    means = group_means(vectors, nodes, parents * size)  # [P K, D]
    offsets = means.reshape(parents, size, -1) - above.centroids[:, None]  # [P, K, D]
    inherited = np.array([start is not None for start in starts])  # [P]
    # A code that many parents inherited has one meaning already: the mean of their offsets.
    if inherited.any():
        codebook = offsets[inherited].mean(axis=0)  # [K, D]
    else:
        codebook = residual_codebook(
            vectors, above.centroids, above.nodes, codes=size, iterations=iterations, seed=seed
        )
    # Siblings must not share a code, or two paths would be one.
    codes = np.tile(np.arange(size), (parents, 1))  # [P, K]
    codes[~inherited] = distinct_codes(offsets[~inherited], codebook)
    return Level(*_renumber(nodes, means, codes), codebook)


def _renumber(
    nodes: np.ndarray, means: np.ndarray, codes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Number nodes by path once the child k of parent p has code codes[p, k]."""
    parents, size = codes.shape
    numbers = (np.arange(parents)[:, None] * size + codes).ravel()  # [P K]
    centroids = np.empty_like(means)
    centroids[numbers] = means
    return numbers[nodes], centroids


def _rename(level: Level, kept: OldCodes | None, sizes_above: tuple[int, ...]) -> Level:
    """Rename a level's codes to overlap the old tree's, when there is one to overlap.

    Prefixes are compared code by code: the two trees may have other numbers of codes per level.
    """
    depth = len(sizes_above)
    if kept is None or depth >= len(kept.level_sizes):
        return level
    size = len(level.codebook)
    paths = paths_of_leaves(level.nodes[kept.rows], (*sizes_above, size))  # [C, depth + 1]
    names = renaming_to_overlap(
        paths[:, depth].astype(np.int64),
        kept.paths[:, depth],
        (paths[:, :depth] == kept.paths[:, :depth]).all(axis=1),
        size=size,
        previous_size=kept.level_sizes[depth],
    )
    codes = np.tile(names, (len(level.centroids) // size, 1))  # [P, K]
    codebook = np.empty_like(level.codebook)
    codebook[names] = level.codebook
    return Level(*_renumber(level.nodes, level.centroids, codes), codebook)


def _slots_in_order(leaves: np.ndarray) -> np.ndarray:
    """Slot of every item: how many earlier items share its leaf, [N] int32."""
    order = np.argsort(leaves, kind="stable")
    sizes = np.bincount(leaves)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    slots = np.empty(len(leaves), dtype=np.int32)
    slots[order] = np.arange(len(leaves)) - starts
    return slots


def _fingerprint(
    levels: Sequence[Level], item_ids: np.ndarray, slots: np.ndarray, leaf_capacity: int
) -> str:
    """Digest of everything a published code depends on."""
    digest = hashlib.sha256(repr((leaf_capacity, item_ids.tolist())).encode())
    for level in levels:
        digest.update(repr(level.codebook.shape).encode())
        for array in (level.codebook, level.centroids, level.nodes):
            digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(slots.tobytes())
    return digest.hexdigest()[:FINGERPRINT_DIGITS]
