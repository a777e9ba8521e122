from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.contracts import CheckResult, Verdict, verdict_table
from grove.errors import InfrastructureError

HELD = CheckResult(name="held", severity="fail", passed=True, expected="a", observed="a")
FAILED = replace(HELD, name="failed", passed=False, column="price", unexpected_rows=3)
ODD = replace(HELD, name="odd", passed=False, severity="warn")


@pytest.mark.parametrize(
    ("results", "passed"),
    [((), True), ((HELD,), True), ((HELD, ODD), True), ((HELD, FAILED), False)],
)
def test_only_a_failed_fail_check_rejects(results: tuple[CheckResult, ...], passed: bool) -> None:
    assert Verdict("items", results).passed == passed


def test_failed_checks_are_distinguished_by_severity() -> None:
    verdict = Verdict("items", (HELD, FAILED, ODD))
    assert verdict.failures == (FAILED,)
    assert verdict.warnings == (ODD,)


results = st.builds(
    CheckResult,
    name=st.text(),
    severity=st.sampled_from(["fail", "warn"]),
    passed=st.booleans(),
    expected=st.text(),
    observed=st.text(),
    column=st.none() | st.text(),
    unexpected_rows=st.integers(min_value=0),
)


@given(st.text(), st.lists(results, max_size=3))
def test_json_and_back(dataset: str, found: list[CheckResult]) -> None:
    verdict = Verdict(dataset, tuple(found))
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_json_states_whether_it_passed_for_readers_without_this_class() -> None:
    assert json.loads(Verdict("items", (FAILED,)).to_json())["passed"] is False


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"dataset": "a", "results": [{"name": 1}]}'])
def test_a_text_that_is_not_a_verdict_is_rejected(text: str) -> None:
    with pytest.raises(InfrastructureError, match="a verdict cannot be read"):
        Verdict.from_json(text)


def test_the_table_shows_failed_checks_first() -> None:
    lines = verdict_table(Verdict("items", (HELD, ODD, FAILED))).splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["outcome", "check"],
        ["fail", "failed"],
        ["warn", "odd"],
        ["held", "held"],
    ]
