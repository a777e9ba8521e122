from __future__ import annotations

from typing import Any

import pytest
from tests.contracts.sample_rows import as_table, valid_rows

from grove.contracts import load_contract
from grove.datasets import INTERACTIONS
from grove.quality import validate_dataset
from grove.quality.invariants import rows_on_open_day

CONTRACT = load_contract(INTERACTIONS)


@pytest.mark.parametrize(
    ("change", "failures", "warnings"),
    [
        ({}, [], []),
        ({"query": "two  spaces"}, [], ["query_normalised"]),
        ({"price": -1.0}, ["price_range"], []),
        ({"price": -1.0, "query": " q"}, ["price_range"], ["query_normalised"]),
    ],
)
def test_only_a_fail_check_rejects_the_rows(
    change: dict[str, Any], failures: list[str], warnings: list[str]
) -> None:
    rows = valid_rows(CONTRACT, 3)
    rows[1] |= change
    verdict = validate_dataset(CONTRACT, as_table(rows, CONTRACT), run_name="test")
    assert [result.name for result in verdict.failures] == failures
    assert [result.name for result in verdict.warnings] == warnings
    assert verdict.passed == (not failures)


def test_an_invariant_counts_as_a_check_and_fails_alone_on_an_empty_frame() -> None:
    empty = as_table([], CONTRACT)
    verdict = validate_dataset(CONTRACT, empty, run_name="test", invariants=[rows_on_open_day(0)])
    assert verdict.dataset == "interactions"
    assert [result.name for result in verdict.failures] == ["rows_on_open_day"]
    assert len(verdict.results) == len(CONTRACT.checks) + 1
