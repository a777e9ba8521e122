"""Lifts over competing models, and the DSSM with TreeBridge's width."""

from __future__ import annotations

import numpy as np
import pytest
from tests.benchmarks import competing_models, wide_dssm
from tests.benchmarks.bench import Bench
from tests.benchmarks.competing_models import TEXT_INPUT
from tests.benchmarks.lifts import COMPARED_PARTS, PAPER, lifts, lifts_of_result
from tests.benchmarks.protocol import ENCODER, TRIALS
from tests.benchmarks.rows import metric_row, row_as_json
from tests.repository.tiny_shop import item_table, shop_of, walks


def test_a_lift_has_a_goal_at_both_cutoffs_and_over_one_tree_that_of_the_paper():
    found = {(name, cutoff): 0.2 for name in PAPER for cutoff in (50, 100)}
    found |= {("TreeBridge", 50): 0.19, ("TreeBridge", 100): 0.25, ("DSSM", 50): 0.1}
    rows = {row.measure.removeprefix("Q2 TreeBridge over "): row for row in lifts("here", found)}
    assert len(rows) == 2 * len(PAPER)
    assert [rows[f"{tree} tree {TEXT_INPUT}, here, HR@100"].met for tree in ("llm", "cf")] == [
        True,
        False,
    ]
    assert [rows[f"{tree} tree {TEXT_INPUT}, here, HR@50"].met for tree in ("llm", "cf")] == [
        False,
        False,
    ]
    assert rows["DSSM, here, HR@50"].value == pytest.approx(1.9)
    assert rows["DSSM, here, HR@50"].met


def test_lifts_over_the_papers_single_trees_come_from_two_parts_of_one_split():
    data, parts = "a shop", {}
    for ours, theirs in list(COMPARED_PARTS.items())[:2]:
        better = [metric_row("Q2 TreeBridge", data, f"HR@{k}", 0.3) for k in (50, 100)]
        parts[ours] = {"rows": [row_as_json(row) for row in better]}
        rows = [
            metric_row(f"Q2 RecForest {tree} tree only", where, f"HR@{k}", value)
            for tree, value in (("cf", 0.2), ("llm", 0.3))
            for where in (data, f"{data}, new items")
            for k in (50, 100)
        ]
        parts[theirs] = {"rows": [row_as_json(row) for row in rows]}
    parts.pop("beauty-time-recforest")
    found = {row.measure: row for row in lifts_of_result({"parts": parts})}
    assert len(found) == 4  # the second split has no rows of the single trees
    cf, llm = (
        found[f"Q2 TreeBridge over RecForest {tree} tree only, a shop, HR@100"]
        for tree in ("cf", "llm")
    )
    assert (cf.value, cf.goal, cf.met) == (pytest.approx(1.5), "≥ 1.39", True)
    assert (llm.value, llm.goal, llm.met) == (1.0, "≥ 1.12", False)
    assert "paper 1.39" in cf.reference
    assert "paper 1.13" in llm.reference


def test_the_wide_dssm_is_evaluated_with_its_better_trial(monkeypatch):
    asked = []

    def rank(bench: Bench) -> competing_models.Ranked:
        asked.append((bench.split.name, dict(bench.options["dssm"])))
        lists = np.full((len(bench.split.asked), 100), -1)
        if bench.options["dssm"]["dropout"] == TRIALS["dssm"][1]["dropout"]:
            targets = bench.split.segments["all"]
            lists[targets.users, 0] = targets.items
        return competing_models.Ranked(lists={"DSSM": lists})

    shop = shop_of(walks())
    monkeypatch.setattr(wide_dssm, "dssm", rank)
    monkeypatch.setattr(wide_dssm, "read_beauty", lambda _: (shop, item_table(shop)))
    rows = list(wide_dssm.beauty_wide_dssm(None))
    names = [name.rpartition(", ")[2] for name, _ in asked]
    assert names == ["valid", "valid", "test"]
    assert {options["width"] for _, options in asked} == {ENCODER["width"]}
    assert asked[-1][1]["dropout"] == TRIALS["dssm"][1]["dropout"]
    by_trial = [row.value for row in rows if row.measure.endswith("HR@50")]
    assert by_trial == [0.0, 1.0, 1.0]
