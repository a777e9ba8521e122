from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from grove.contracts import Check


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"kind": "not_null"}, "no missing value"),
        ({"kind": "unique", "columns": ("day", "user_id")}, "one row per day, user_id"),
        ({"kind": "values", "values": ("a", "b")}, "one of a, b"),
        ({"kind": "pattern", "pattern": "^a$"}, "text that matches ^a$"),
        ({"kind": "range", "minimum": 0, "maximum": 1.5}, "a value between 0 and 1.5"),
        ({"kind": "length", "minimum": 1}, "characters at least 1"),
        ({"kind": "items", "maximum": 3}, "elements at most 3"),
        ({"kind": "norm", "minimum": 0.999, "maximum": 1}, "L2 norm between 0.999 and 1"),
        ({"kind": "same_length", "columns": ("a", "b")}, "as many elements as b"),
        ({"kind": "not_null", "tolerated_share": 0.2}, "no missing value in at least 80%"),
    ],
)
def test_a_check_in_words(values: dict[str, object], expected: str) -> None:
    check = Check(**({"name": "x", "severity": "fail", "columns": ("a",)} | values))  # type: ignore[arg-type]
    assert check.expected == expected


def test_a_check_cannot_be_changed() -> None:
    check = Check(name="x", kind="not_null", severity="fail", columns=("a",))
    with pytest.raises(FrozenInstanceError):
        check.severity = "warn"  # type: ignore[misc]
