"""Every check of every contract lets good rows pass and catches a row made to break it."""

from __future__ import annotations

import pytest
from tests.contracts.sample_rows import as_table, break_row, broken_everywhere, valid_rows

from grove.contracts import Contract, is_row_check, load_contracts
from grove.landed.reasons import breaks
from grove.quality import validate_frame

CONTRACTS = load_contracts()


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_good_rows_and_no_rows_pass_every_check(contract: Contract) -> None:
    table = as_table(valid_rows(contract, 4), contract)
    for rows in (table, table.slice(0, 0)):
        results = validate_frame(rows, contract, run_name="test", docs_folder=None)
        assert [result.name for result in results] == [check.name for check in contract.checks]
        assert [result.name for result in results if not result.passed] == []


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_each_check_without_exception_catches_its_one_bad_row(contract: Contract) -> None:
    table, checks = broken_everywhere(contract)
    results = validate_frame(table, contract, run_name="test", docs_folder=None)
    failed = {result.name: result for result in results if not result.passed}
    assert set(failed) >= {check.name for check in checks}
    for check in checks:
        assert failed[check.name].severity == check.severity
        assert failed[check.name].unexpected_rows >= 1


TOLERANT = [
    (contract, check)
    for contract in CONTRACTS.values()
    for check in contract.checks
    if check.tolerated_share
]


def test_there_are_checks_with_a_tolerated_share() -> None:
    assert len(TOLERANT) >= 8


@pytest.mark.parametrize("name", sorted({contract.name for contract, _ in TOLERANT}))
def test_a_tolerated_share_is_tolerated_and_no_more(name: str) -> None:
    contract = CONTRACTS[name]
    checks = [check for each, check in TOLERANT if each is contract]
    count = 100
    rows = valid_rows(contract, count)
    for check in checks:
        allowed = round(check.tolerated_share * count)
        for broken, passes in ((allowed, True), (allowed + 1, False)):
            table = as_table(
                [break_row(row, check, rows[-1]) for row in rows[:broken]] + rows[broken:], contract
            )
            results = validate_frame(table, contract, run_name="test", docs_folder=None)
            result = next(result for result in results if result.name == check.name)
            assert result.passed == passes, (check.name, broken)
            assert result.severity == "warn"


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_ingest_rejects_the_rows_that_a_check_of_rows_rejects(contract: Contract) -> None:
    rows = valid_rows(contract, 4)
    for check in filter(is_row_check, contract.checks):
        broken = [*rows[:3], break_row(rows[3], check, rows[0])]
        values = as_table(broken, contract)[check.columns[0]].combine_chunks()
        assert breaks(check, values).to_pylist() == [False] * 3 + [True], check.name
