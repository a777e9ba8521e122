"""Translation of a check into an expectation of Great Expectations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from grove.contracts import Check, Contract
from grove.quality.library import import_great_expectations
from grove.quality.measures import measured_column

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.expectations import Expectation

_GX_SEVERITIES = {"fail": "critical", "warn": "warning"}


def expectation_suite(
    checks: Iterable[Check], contract: Contract, *, counted: bool = False
) -> ExpectationSuite:
    """The suite of a dataset; each expectation carries its check's name in `meta`.

    Args:
        checks: checks of the contract.
        contract: contract of the dataset.
        counted: whether the rows include the number of repeated keys; see `measure_spark`.
    """
    gx = import_great_expectations()
    expectations = [_expectation(check, contract, counted=counted) for check in checks]
    suite: ExpectationSuite = gx.ExpectationSuite(name=contract.name, expectations=expectations)
    return suite


def _expectation(check: Check, contract: Contract, *, counted: bool) -> Expectation:
    from great_expectations import expectations

    kind, arguments = _kind_and_arguments(check, counted=counted)
    if "column_list" not in arguments:
        arguments["column"] = measured_column(check, contract, counted=counted)
    return getattr(expectations, kind)(
        **arguments,
        severity=_GX_SEVERITIES[check.severity],
        mostly=1 - check.tolerated_share,
        meta={"check": check.name},
        description=f"{check.name}: {check.expected}",
    )


def _kind_and_arguments(check: Check, *, counted: bool) -> tuple[str, dict[str, Any]]:
    """Name of the expectation, and its arguments besides the column."""
    if check.kind == "unique" and counted:
        return "ExpectColumnValuesToBeBetween", {"min_value": 0, "max_value": 0}
    if check.kind == "unique" and len(check.columns) > 1:
        return "ExpectCompoundColumnsToBeUnique", {"column_list": list(check.columns)}
    bounds = {"min_value": check.minimum, "max_value": check.maximum}
    between = "ExpectColumnValuesToBeBetween"
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "unique": ("ExpectColumnValuesToBeUnique", {}),
        "not_null": ("ExpectColumnValuesToNotBeNull", {}),
        "values": ("ExpectColumnValuesToBeInSet", {"value_set": list(check.values)}),
        "pattern": ("ExpectColumnValuesToMatchRegex", {"regex": check.pattern}),
        "length": ("ExpectColumnValueLengthsToBeBetween", bounds),
        "same_length": (between, {"min_value": 0, "max_value": 0}),
    }
    return kinds.get(check.kind, (between, bounds))
