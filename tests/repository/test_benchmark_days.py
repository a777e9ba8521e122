"""The benchmark of ten days: moved codes, churn, and hit rates."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from tests.benchmarks.days import code_rows, hit_rows, moved_codes

DAYS = [date(2026, 8, 19), date(2026, 8, 20), date(2026, 8, 21)]
FIRST = {"a": (0, 0, 0), "b": (0, 0, 1), "c": (1, 2, 0)}
"""Path and slot by item."""


def codes_of(places: dict[str, tuple[int, int, int]], generation: str) -> pa.Table:
    return pa.table(
        {
            "item_id": list(places),
            "path": [list(place[:2]) for place in places.values()],
            "slot": [place[2] for place in places.values()],
            "generation": [generation] * len(places),
        }
    )


@pytest.mark.parametrize(
    ("later", "moved", "other_path"),
    [
        ({"c": (1, 2, 0)}, 0, 0),
        ({"c": (1, 1, 0)}, 1, 1),
        ({"c": (1, 2, 1)}, 1, 0),
        ({"d": (3, 3, 3)}, 0, 0),
    ],
)
def test_an_item_has_moved_when_its_path_or_its_slot_has(later, moved, other_path):
    new = codes_of({"b": (0, 0, 1), **later}, "one")
    both = 2 if "c" in later else 1
    assert moved_codes(codes_of(FIRST, "one"), new) == (moved, other_path, both)


def test_moves_have_a_goal_where_items_joined_and_churn_where_the_tree_is_new():
    appended = {**FIRST, "d": (1, 2, 1)}
    rebuilt = {**appended, "a": (3, 3, 0), "b": (0, 0, 0), "e": (3, 3, 1)}
    tables = (codes_of(FIRST, "one"), codes_of(appended, "one"), codes_of(rebuilt, "two"))
    rows = list(code_rows("llm", dict(zip(DAYS, tables, strict=True))))
    found = {row.measure: (row.value, row.met) for row in rows}
    assert found == {
        "llm tree, 2026-08-20, items that joined": (1.0, None),
        "llm tree, 2026-08-20, moved codes": (0, True),
        "llm tree, 2026-08-21, items that joined": (1.0, None),
        "llm tree, 2026-08-21, code churn": (0.25, None),
    }


def test_days_on_both_sides_of_a_gap_are_not_compared():
    tables = {DAYS[0]: codes_of(FIRST, "one"), DAYS[2]: codes_of(FIRST, "two")}
    assert list(code_rows("llm", tables)) == []


def test_a_moved_code_is_a_goal_missed():
    tables = (codes_of(FIRST, "one"), codes_of({**FIRST, "a": (1, 2, 1)}, "one"))
    rows = list(code_rows("cf", dict(zip(DAYS, tables, strict=False))))
    assert [row.met for row in rows if "moved" in row.measure] == [False]


def test_only_the_hit_rates_of_all_positives_are_reported():
    kinds = [("hit_rate", 50, "all"), ("hit_rate", 10, "all"), ("hit_rate", 50, "new_items")]
    kinds.append(("ndcg", 50, "all"))
    metrics = [
        {"model": model, "metric": metric, "cutoff": cutoff, "segment": segment, "value": value}
        for model, value in (("oracle", 0.75), ("fused", 0.5), ("comparator_fused", 0.25))
        for metric, cutoff, segment in kinds
    ]
    table = pa.Table.from_pylist([{**row, "support": 1_200} for row in metrics])
    rows = [(row.measure, row.value) for row in hit_rows(DAYS[0], table)]
    assert rows == [
        ("2026-08-19, HR@50, fused", 0.5),
        ("2026-08-19, HR@50, oracle", 0.75),
        ("2026-08-19, evaluated", 1_200),
    ]
