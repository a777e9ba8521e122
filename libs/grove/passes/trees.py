"""What `build_trees` tells of its trees, and what it checks before their codes are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from grove.catalog import CODES
from grove.contracts import Verdict, load_contract
from grove.quality import judge
from grove.quality.invariants import leaf_capacity, no_gap, one_path_per_item
from grove.quality.invariants.codes import codes_kept, slots_distinct, slots_suffice
from grove.runtime.stage import Stage
from grove.trees.refresh import Refresh, describe, metric_rows


def report_trees(
    stage: Stage,
    refreshed: Mapping[str, Refresh],
    vectors: Mapping[str, np.ndarray],
    items: pa.Table,
) -> list[dict[str, Any]]:
    """Put the quality of every tree into the report.

    Args:
        stage: of the day.
        refreshed: trees by name.
        vectors: [N, D] the vectors each tree orders, by name.
        items: N rows of the item table.

    Returns:
        The same as rows of `metrics`, to be measured once the trees are kept.
    """
    ids, categories = items["item_id"].to_pylist(), items["category"].to_pylist()
    told = {name: describe(one, vectors[name], ids, categories) for name, one in refreshed.items()}
    for name, note in told.items():
        stage.report.note(name, note)
        stage.report.version(f"{name}_tree", note["generation"])
    stage.report.rows(in_=len(ids), out=sum(note["items"] for note in told.values()))
    return metric_rows(told)


def judge_codes(
    stage: Stage, codes: pa.Table, refreshed: Mapping[str, Refresh], item_ids: Sequence[str]
) -> Verdict:
    """Contract of `codes`, and what each tree promises.

    Args:
        stage: of the day.
        codes: rows of both trees.
        refreshed: trees by name.
        item_ids: items that must each have one path per tree.
    """
    checks = {
        name: (
            one_path_per_item(one.tree.item_ids, item_ids),
            leaf_capacity(one.tree.paths, capacity=one.tree.leaf_capacity),
            slots_distinct(one.tree.leaves, one.tree.slots),
            slots_suffice(
                one.unplaced, free=one.tree.free_slots, day=stage.day, rebuilt=one.rebuilt
            ),
            codes_kept(one.churn, rebuilt=one.rebuilt),
        )
        for name, one in refreshed.items()
    }
    named = [replace(one, name=f"{tree}_{one.name}") for tree in checks for one in checks[tree]]
    named.append(no_gap(stage.gap_days, fail=stage.settings.ingest.fail_on_gap))
    contract, run_name = load_contract(CODES), f"{stage.day} {stage.stage}"
    return judge(
        contract, codes, run_name=run_name, docs_folder=stage.docs_folder, invariants=named
    )
