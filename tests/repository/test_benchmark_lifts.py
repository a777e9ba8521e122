"""Lifts over rivals, and the rival that is as wide as TreeBridge."""

from __future__ import annotations

import numpy as np
import pytest
from tests.benchmarks import contestants, wide_dssm
from tests.benchmarks.bench import Bench
from tests.benchmarks.lifts import PAPER, lifts
from tests.benchmarks.protocol import ENCODER, TRIALS
from tests.repository.tiny_shop import item_table, shop_of, walks


def test_a_lift_is_judged_at_both_cutoffs_and_over_one_tree_by_the_papers():
    found = {(name, cutoff): 0.2 for name in PAPER for cutoff in (50, 100)}
    found |= {("TreeBridge", 50): 0.19, ("TreeBridge", 100): 0.25, ("DSSM", 50): 0.1}
    rows = {row.measure.removeprefix("Q2 TreeBridge over "): row for row in lifts("here", found)}
    assert len(rows) == 2 * len(PAPER)
    assert [rows[f"{tree} tree only, here, H@100"].met for tree in ("llm", "cf")] == [True, False]
    assert [rows[f"{tree} tree only, here, H@50"].met for tree in ("llm", "cf")] == [False, False]
    assert rows["DSSM, here, H@50"].value == pytest.approx(1.9)
    assert rows["DSSM, here, H@50"].met


def test_the_wide_dssm_is_judged_by_its_better_trial(monkeypatch):
    asked = []

    def contest(bench: Bench) -> contestants.Ranked:
        asked.append((bench.split.name, dict(bench.options["dssm"])))
        lists = np.full((len(bench.split.asked), 100), -1)
        if bench.options["dssm"]["dropout"] == TRIALS["dssm"][1]["dropout"]:
            wanted = bench.split.segments["all"]
            lists[wanted.users, 0] = wanted.items
        return contestants.Ranked(lists={"DSSM": lists})

    shop = shop_of(walks())
    monkeypatch.setattr(wide_dssm, "dssm", contest)
    monkeypatch.setattr(wide_dssm, "read_beauty", lambda _: (shop, item_table(shop)))
    rows = list(wide_dssm.beauty_wide_dssm(None))
    names = [name.rpartition(", ")[2] for name, _ in asked]
    assert names == ["valid", "valid", "test"]
    assert {options["width"] for _, options in asked} == {ENCODER["width"]}
    assert asked[-1][1]["dropout"] == TRIALS["dssm"][1]["dropout"]
    by_trial = [row.value for row in rows if row.measure.endswith("H@50")]
    assert by_trial == [0.0, 1.0, 1.0]
