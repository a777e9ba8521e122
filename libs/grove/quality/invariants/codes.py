"""Promises of a tree between rebuilds: new items find a place, and no code moves."""

from __future__ import annotations

from datetime import date

import numpy as np

from grove.contracts.verdict import CheckResult


def slots_distinct(leaves: np.ndarray, slots: np.ndarray) -> CheckResult:
    """No two items stand in one slot of one leaf: of two, the second could never be found.

    Args:
        leaves: [N] int, the leaf of each item.
        slots: [N] int, its slot there.
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
    """Every new item took a free slot of its tree.

    Args:
        unplaced: new items for which no slot was left.
        free: slots that are free.
        day: day of the run, for the command that helps.
        rebuilt: whether the tree was built anew, from the items of the evening before.
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
    """No item of the tree before changed its path; a rebuild may, and is shown.

    Args:
        churn: share of these items whose path changed.
        rebuilt: whether the tree was built anew.
    """
    return CheckResult(
        name="codes_kept",
        severity="warn" if rebuilt else "fail",
        passed=churn == 0,
        expected="no item changes its path",
        observed=f"{churn:.1%} of the items changed theirs" + (" in a rebuild" if rebuilt else ""),
    )
