from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.errors import DataError
from grove.release.manifest import Manifest
from grove.release.plan import (
    EarlierRelease,
    PlanLimits,
    RetrainPlan,
    TreeState,
    decide_plan,
    earlier_release,
)

DAY = date(2026, 8, 20)
SHAPE = {"encoder": "a1b2", "stars.width": "64"}
LIMITS = PlanLimits(retrain_every_days=7, min_free_share=0.05, max_distortion_growth=0.2)
SOUND = TreeState(free_share=0.2, distortion=1.1, distortion_at_build=1.0, free_slots=40)
EARLIER = EarlierRelease(
    release_id="2026-08-19.1",
    trained_on=DAY - timedelta(days=3),
    learned_through=date(2026, 8, 19),
    shape=SHAPE,
    trees={"llm": SOUND, "cf": SOUND},
    items=160,
)


def plan(
    earlier: EarlierRelease | None = EARLIER, *, asked: bool = False, new_items: int = 0
) -> RetrainPlan:
    return decide_plan(DAY, earlier, shape=SHAPE, limits=LIMITS, asked=asked, new_items=new_items)


def test_an_ordinary_day_starts_from_the_newest_earlier_release() -> None:
    assert plan() == RetrainPlan(
        kind="ordinary",
        reason="weights of 2026-08-19.1 are 3 days old",
        previous_release="2026-08-19.1",
        comparator="2026-08-19.1",
        learned_through=date(2026, 8, 19),
        rebuild_trees=False,
        trained_on=date(2026, 8, 17),
        shape=SHAPE,
    )


def test_the_first_day_retrains_and_has_no_comparator() -> None:
    first = plan(None)
    assert (first.kind, first.comparator, first.rebuild_trees) == ("retrain", None, True)


@pytest.mark.parametrize(
    ("earlier", "reason"),
    [
        (replace(EARLIER, trained_on=DAY - timedelta(days=7)), "are 7 days old"),
        (replace(EARLIER, shape={**SHAPE, "encoder": "other"}), "encoder changed from other"),
        (replace(EARLIER, shape={"encoder": "a1b2"}), "stars.width changed from nothing to 64"),
        (
            replace(EARLIER, trees={"llm": SOUND, "cf": replace(SOUND, free_share=0.04)}),
            "only 4.0% of the cf tree's slots are free",
        ),
        (
            replace(EARLIER, trees={"llm": replace(SOUND, distortion=1.3)}),
            "distortion of the llm tree grew by 30.0%",
        ),
    ],
)
def test_a_retrain_states_its_reason(earlier: EarlierRelease, reason: str) -> None:
    decided = plan(earlier)
    assert decided.kind == "retrain"
    assert reason in decided.reason
    assert decided.comparator == decided.previous_release == EARLIER.release_id
    assert (decided.learned_through, decided.trained_on) == (None, DAY)


def test_more_new_items_than_a_tree_has_slots_make_a_retrain_day() -> None:
    tighter = replace(EARLIER, trees={"llm": SOUND, "cf": replace(SOUND, free_slots=39)})
    assert plan(tighter, new_items=39).kind == "ordinary"
    decided = plan(tighter, new_items=40)
    assert (decided.kind, decided.rebuild_trees) == ("retrain", True)
    assert decided.reason == "the cf tree has 39 free slots for 40 new items"


def test_a_release_that_does_not_record_its_slots_is_no_reason_to_retrain() -> None:
    silent = replace(SOUND, free_slots=None)
    assert plan(replace(EARLIER, trees={"cf": silent}), new_items=10**6).kind == "ordinary"


def test_a_retrain_can_be_requested() -> None:
    assert plan(asked=True).reason == "asked for"


@given(
    age=st.integers(0, 30),
    free=st.floats(0, 1),
    distortion=st.floats(0, 10),
    asked=st.booleans(),
)
def test_trees_are_rebuilt_exactly_when_models_are_retrained(
    age: int, free: float, distortion: float, asked: bool
) -> None:
    tree = TreeState(free_share=free, distortion=distortion, distortion_at_build=1.0)
    decided = plan(
        replace(EARLIER, trained_on=DAY - timedelta(days=age), trees={"cf": tree}), asked=asked
    )
    assert decided.rebuild_trees == (decided.kind == "retrain")
    assert (decided.learned_through is None) == (decided.kind == "retrain")


def test_facts_of_a_release_are_read_from_its_manifest() -> None:
    tree = {
        "items": 160,
        "free_share": 0.2,
        "free_slots": 40,
        "distortion": 1.1,
        "distortion_at_build": 1.0,
    }
    manifest = Manifest(
        release_id=EARLIER.release_id,
        day=date(2026, 8, 19),
        content="c0",
        code_version="c1",
        files={},
        plan={**plan().as_notes(), "trained_on": "2026-08-17"},
        trees={"llm": tree, "cf": tree},
        weights={
            "dssm": {"learned_through": "2026-08-19"},
            "stars": {"learned_through": "2026-08-19"},
        },
    )
    assert earlier_release(manifest) == EARLIER
    with pytest.raises(DataError, match="RETRAIN=1"):
        earlier_release(replace(manifest, plan={}))


def test_notes_are_plain_json_values() -> None:
    assert plan().as_notes()["learned_through"] == "2026-08-19"
    assert plan(None).as_notes()["learned_through"] is None
