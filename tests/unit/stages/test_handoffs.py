"""Hand-offs: what one stage writes into its report, a later one reads back as the same value."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from grove.datasets import TREES, Layout
from grove.errors import DataError, InfrastructureError
from grove.release.plan import RetrainPlan
from grove.runtime.files import write_json
from grove.runtime.reports import find_report
from grove.stages.handoffs import (
    TreeReport,
    WeightsReport,
    read_encoder,
    read_index,
    read_plan,
    read_trees,
    read_weights,
)

DAY = date(2026, 8, 20)
PLAN = RetrainPlan(
    kind="ordinary",
    reason="weights of 2026-08-19.1 are 1 days old",
    previous_release="2026-08-19.1",
    comparator="2026-08-19.1",
    learned_through=date(2026, 8, 19),
    rebuild_trees=False,
    trained_on=date(2026, 8, 17),
    shape={"encoder": "e0"},
)
TREE = TreeReport(generation="a1", levels=(4, 4), capacity=16, free_share=0.25, code_use=(1.0, 0.5))


@pytest.fixture
def home(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path))


def report(layout: Layout, stage: str, **content: object) -> None:
    write_json(layout.report(DAY, stage), {"status": "committed", **content})


@pytest.mark.parametrize(
    "plan",
    [PLAN, replace(PLAN, previous_release=None, comparator=None, learned_through=None)],
    ids=["ordinary", "first"],
)
def test_a_plan_is_read_as_it_was_written(home, plan):
    report(home, "plan_day", notes=plan.as_notes())
    assert read_plan(home, DAY) == plan


def test_an_incomplete_plan_names_what_is_missing(home):
    report(home, "plan_day", notes={"kind": "retrain"})
    with pytest.raises(DataError, match="learned_through"):
        read_plan(home, DAY)


def test_trees_are_read_as_they_were_written(home):
    notes = dict.fromkeys(TREES, TREE.as_notes())
    report(home, "build_trees", notes=notes, artifact="/made/trees")
    found = read_trees(home, DAY)
    assert found.trees == dict.fromkeys(TREES, TREE)
    assert (found.folder, found.capacity) == (Path("/made/trees"), 16)
    assert found.levels == {tree: [4, 4] for tree in TREES}
    assert found.generations == dict.fromkeys(TREES, "a1")


def test_facts_of_another_version_are_left_out():
    required = {"generation": "a1", "levels": [4, 4], "capacity": 16}
    found = TreeReport.from_notes({**required, "of a later version": 1})
    assert found == TreeReport(generation="a1", levels=(4, 4), capacity=16)
    assert found.as_notes() == {**required, "levels": (4, 4)}


@pytest.mark.parametrize("missing", ["generation", "levels", "capacity"])
def test_a_missing_fact_that_a_later_stage_needs_is_named(home, missing):
    notes = {name: value for name, value in TREE.as_notes().items() if name != missing}
    report(home, "build_trees", notes=dict.fromkeys(TREES, notes), artifact="/made/trees")
    with pytest.raises(DataError, match=f"the report of build_trees lacks {missing}"):
        read_trees(home, DAY)


def test_a_report_without_the_encoder_or_the_version_of_weights_is_a_data_error(home):
    report(home, "embed_texts")
    with pytest.raises(DataError, match="lacks encoder"):
        read_encoder(home, DAY)
    report(home, "train_stars", artifact="/made/stars")
    with pytest.raises(DataError, match="lacks model_version"):
        read_weights(home, DAY, "stars")


def test_weights_are_read_as_they_were_written(home):
    weights = WeightsReport(
        folder=Path("/made/stars"),
        model_version="0123456789ab",
        learned_through="2026-08-19",
        curve=(2.5, 2.25),
        trained=True,
    )
    report(home, "train_stars", notes=weights.as_notes(), artifact="/made/stars")
    assert read_weights(home, DAY, "stars") == weights
    report(home, "train_stars.update", notes={"model_version": "0"}, artifact="/made/stars")
    earlier = read_weights(home, DAY, "stars", "update")
    assert (earlier.learned_through, earlier.curve, earlier.trained) == (None, (), False)


def test_an_encoder_and_an_index_are_read_from_their_reports(home):
    report(home, "embed_texts", versions={"encoder": "e0"})
    report(home, "build_index", artifact="/made/index")
    assert (read_encoder(home, DAY), read_index(home, DAY)) == ("e0", Path("/made/index"))
    report(home, "build_index", artifact=None)
    with pytest.raises(DataError, match="build_index has no artifact"):
        read_index(home, DAY)


def test_a_report_without_a_status_cannot_be_read(home):
    write_json(home.report(DAY, "plan_day"), {"notes": {}})
    with pytest.raises(InfrastructureError, match="cannot be read"):
        find_report(home, DAY, "plan_day")
