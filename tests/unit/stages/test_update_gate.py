"""Gate of the update: the held-out users, their targets, and what counts as a hit."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from tests.jobs.shop_day import ENCODER, land_shop, report

from grove.contracts import arrow_schema, load_contract
from grove.datasets import HISTORIES, Layout
from grove.runtime.tables import read_arrow, replace_partition
from grove.settings.sections import EvaluationSettings
from grove.stages.encoded import Encoded
from grove.stages.model_inputs import day_item_table
from grove.stages.update_gate import (
    HeldOut,
    UpdateEffect,
    held_out_users,
    hits,
    hits_of_lists,
    mean_drift,
)
from grove.training.holdout import held_out


def held(targets: list[list[int]], seen: list[list[int]] | None = None) -> HeldOut:
    return HeldOut(
        histories=pa.table({"user_id": [str(user) for user in range(len(targets))]}),
        targets=[np.array(rows) for rows in targets],
        seen=None if seen is None else [np.array(rows, dtype=np.int64) for rows in seen],
    )


def let_last_event_land_late(layout: Layout, day: date) -> None:
    """Every user's last event of the day happened on D−1."""
    rows = read_arrow(layout, HISTORIES, day=day, cut="through").to_pylist()
    for row in rows:
        row["event_times"][-1] -= timedelta(days=1)
    schema = arrow_schema(load_contract(HISTORIES))
    table = pa.Table.from_pylist(rows, schema=schema)
    replace_partition(table, layout, HISTORIES, {"day": day, "cut": "through"})


def test_a_hit_is_any_target_anywhere_in_the_list():
    lists = np.array([[4, 5, -1], [1, 2, 3], [0, 1, 2]])
    assert hits_of_lists(lists, held([[9, 5], [7], [0, 1]])).tolist() == [1.0, 0.0, 1.0]


def test_lists_leave_out_the_users_seen_items():
    items = np.eye(60, dtype=np.float32)
    encoded = Encoded(item_vectors=items, users=lambda histories: {"user": items[: len(histories)]})
    assert hits(encoded, held([[0], [1]])).tolist() == [1.0, 1.0]
    assert hits(encoded, held([[0], [1]], seen=[[0], []])).tolist() == [0.0, 1.0]
    assert hits(encoded, held([])).tolist() == []


@pytest.mark.parametrize("keep_seen", [True, False])
def test_held_out_users_are_those_drawn_with_something_to_find(layout, day, keep_seen):
    land_shop(layout, day)
    report(layout, day, "embed_texts", versions={"encoder": ENCODER})
    let_last_event_land_late(layout, day)
    items = day_item_table(layout, day)
    found = held_out_users(layout, day, items, share=0.3, keep_seen=keep_seen)
    users = found.histories["user_id"].to_pylist()
    assert 0 < len(users) == len(found.targets)
    assert all(held_out(user, day, 0.3) for user in users)
    histories = read_arrow(layout, HISTORIES, day=day, cut="through").to_pylist()
    by_user = {row["user_id"]: row for row in histories}
    not_targets = set()
    for user, targets in zip(users, found.targets, strict=True):
        row = by_user[user]
        items = [int(item.removeprefix("item")) for item in row["item_ids"]]
        events = list(zip(items, row["landed_days"], row["event_times"], strict=True))
        today = {item for item, landed, time in events if landed == day == time.date()}
        earlier = {item for item, landed, _ in events if landed < day}
        assert set(targets.tolist()) == (today if keep_seen else today - earlier)
        late = {item for item, landed, time in events if landed == day != time.date()}
        not_targets |= late - today - earlier
    assert not_targets  # some positive of D−1 landed on the day


def test_an_update_is_checked_by_drift_and_by_held_out_users():
    effect = UpdateEffect(drift=0.6, hits=np.array([np.ones(300), np.zeros(300)]))
    checks = effect.checks(EvaluationSettings(), max_drift=0.5)
    assert [(check.name, check.severity, check.passed) for check in checks] == [
        ("vector_drift", "fail", False),
        ("update_not_worse", "fail", False),
    ]
    assert effect.as_notes() == {"drift": 0.6, "held_out": {"users": 300, "hits": [300.0, 0.0]}}


def test_drift_is_the_mean_cosine_distance():
    before = np.array([[1.0, 0.0], [0.0, 2.0]])
    after = np.array([[5.0, 0.0], [1.0, 0.0]])
    assert mean_drift(before, after) == pytest.approx(0.5)
    assert mean_drift(before, -before) == pytest.approx(2.0)
