"""Shape of a tree: codes per level, and how full its leaves may be."""

from __future__ import annotations

import math
from dataclasses import dataclass

from grove.errors import DataError

WIDEST_LEVEL = 128
"""A level is added when the others would need more codes than this each."""
WIDEST_ONLY_LEVEL = 1_024
"""The same where no other depth fits: the assignment of codes to siblings takes cubic time."""
LEAVES_WORTH_TWO_LEVELS = 4


@dataclass(frozen=True, kw_only=True)
class TreeShape:
    """Required shape of a tree.

    Example:
        >>> TreeShape(level_sizes=None, leaf_capacity=16, headroom=0.25).leaf_fill
        12
    """

    level_sizes: tuple[int, ...] | None
    """Codes per level; none: derived from the number of items."""
    leaf_capacity: int
    """τ, most items a leaf may ever hold."""
    headroom: float
    """Share of a leaf's slots left free for new items, in [0, 1)."""

    @property
    def leaf_fill(self) -> int:
        """Most items of a leaf on the day the tree is built."""
        # The rounding undoes products such as 10 * (1 - 0.9) = 0.9999999999999998.
        return math.floor(round(self.leaf_capacity * (1 - self.headroom), 9))


def fit_level_sizes(shape: TreeShape, items: int) -> tuple[int, ...]:
    """Choose the codes per level, or check the given ones.

    Every leaf gets at least one item and at most `shape.leaf_fill`, so a leaf has a
    centroid and, with headroom, free slots.

    Args:
        shape: the required shape.
        items: N, at least 1.

    Returns:
        Codes per level, top first.

    Raises:
        DataError: τ has no room for an item, or levels are derived for leaves of a single item;
            there are fewer items than leaves, or the leaves cannot hold the items.

    Example:
        >>> fit_level_sizes(TreeShape(level_sizes=None, leaf_capacity=16, headroom=0.25), 12101)
        (32, 32)
    """
    if shape.leaf_fill < 1:
        raise _wrong(
            "a leaf has no room for an item",
            f"leaf_capacity x (1 - headroom) >= 1, with headroom {shape.headroom}",
            f"leaf_capacity {shape.leaf_capacity}",
        )
    if shape.level_sizes is None:
        return _derive_level_sizes(-(-items // shape.leaf_fill), items)
    leaves = math.prod(shape.level_sizes)
    if not shape.level_sizes or leaves < 1 or leaves > items:
        raise _wrong(
            "fewer items than codes",
            f"level sizes of at least 1 whose product is at most the {items} items",
            f"{shape.level_sizes}, product {leaves}",
        )
    if -(-items // leaves) > shape.leaf_fill:
        raise _wrong(
            "the leaves are too small for the items",
            f"at most {leaves * shape.leaf_fill} items: {leaves} leaves, {shape.leaf_fill} each",
            f"{items} items",
        )
    return tuple(shape.level_sizes)


def _derive_level_sizes(leaves: int, items: int) -> tuple[int, ...]:
    """Nearly equal levels whose product is at least `leaves` and at most `items`."""
    depth = 2 if leaves >= LEAVES_WORTH_TWO_LEVELS else 1
    while WIDEST_LEVEL**depth < leaves:
        depth += 1
    sizes = _equal_levels(leaves, depth)
    # Rounding each level up may ask for more leaves than there are items.
    while math.prod(sizes) > items:
        depth -= 1
        sizes = _equal_levels(leaves, depth)
    if max(sizes) > WIDEST_ONLY_LEVEL:
        # There are then as many leaves as items, and few numbers factor into small level sizes.
        raise _wrong(
            "no levels can be derived for leaves of one item",
            "leaf_capacity x (1 - headroom) >= 2, or level sizes that are given",
            f"leaves of one item each for {items} items",
        )
    return sizes


def _equal_levels(leaves: int, depth: int) -> tuple[int, ...]:
    sizes: list[int] = []
    left = leaves
    for remaining in range(depth, 0, -1):
        # The rounding undoes roots such as 64 ** (1 / 3) = 3.9999999999999996.
        sizes.append(math.ceil(round(left ** (1 / remaining), 9)))
        left = -(-left // sizes[-1])
    return tuple(sizes)


def _wrong(what: str, expected: str, found: str) -> DataError:
    return DataError(
        what,
        where="settings trees.level_sizes, trees.leaf_capacity and trees.headroom",
        expected=expected,
        found=found,
        next_step="change these settings, or leave trees.level_sizes empty to derive them",
    )
