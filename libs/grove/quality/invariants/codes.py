"""Invariants of a tree between rebuilds: new items get a slot, and no code changes."""

from __future__ import annotations

from datetime import date

import numpy as np

from grove.contracts.verdict import CheckResult


def slots_distinct(leaves: np.ndarray, slots: np.ndarray) -> CheckResult:
    """No two items share a slot of a leaf: the search could never find the second one.

    Args:
        leaves: [N] int, the leaf of each item.
        slots: [N] int, the slot of each item in its leaf.
    """
    taken = np.unique(np.stack([leaves, slots]), axis=1).shape[1]
    return CheckResult(
        name="slots_distinct",
        severity="fail",
        passed=taken == len(leaves),
        expected="a slot of its own for every item",
        observed=f"{len(leaves) - taken} items in a slot that another holds",
        unexpected_rows=len(leaves) - taken,
    )


def slots_suffice(unplaced: int, *, free: int, day: date, rebuilt: bool) -> CheckResult:
    """Every new item has a slot of its tree.

    Args:
        unplaced: new items without a slot.
        free: number of free slots.
        day: day of the run, for the suggested command.
        rebuilt: whether the tree was rebuilt on the items as of D−1.
    """
    again = f"`make trigger DAY={day} RETRAIN=1`"
    advice = f"raise trees.headroom, then {again}" if rebuilt else f"rebuild the trees: {again}"
    remedy = f"; {advice}" if unplaced else ""
    return CheckResult(
        name="slots_suffice",
        severity="fail",
        passed=unplaced == 0,
        expected="a free slot for every new item",
        observed=f"{unplaced} new items without one, {free} slots free{remedy}",
        unexpected_rows=unplaced,
    )


def codes_kept(churn: float, *, rebuilt: bool) -> CheckResult:
    """No item of the previous tree changed its path; after a rebuild this is only a warning.

    Args:
        churn: share of these items whose path changed, 0 to 1.
        rebuilt: whether the tree was rebuilt.
    """
    return CheckResult(
        name="codes_kept",
        severity="warn" if rebuilt else "fail",
        passed=churn == 0,
        expected="no item changes its path",
        observed=f"{churn:.1%} of the items changed theirs" + (" in a rebuild" if rebuilt else ""),
    )
