"""Execution of a contract's checks with Great Expectations.

There are two passes. The first asks every check only whether it passed, so that all row checks
share one aggregation over the data. The second counts the unexpected rows of the failed checks;
usually there are none. On 10^6 interactions this takes less than half the time of one pass with
all counts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from grove.contracts import Check, CheckResult, Contract
from grove.errors import BugError, DataError, GroveError
from grove.quality.expectations import expectation_suite
from grove.quality.library import import_great_expectations
from grove.quality.measures import Frame, measure_arrow, measure_spark

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import (
        ExpectationSuiteValidationResult,
        ExpectationValidationResult,
    )

log = logging.getLogger(__name__)


def validate_frame(
    frame: Frame, contract: Contract, *, run_name: str, docs_folder: str | None
) -> tuple[CheckResult, ...]:
    """Run every check of a contract on rows; a Spark frame is processed in Spark.

    An empty frame passes every check: a stage's invariant decides whether rows are required.

    Args:
        frame: Spark or pandas frame, or Arrow table.
        contract: contract of the rows; a feed's optional columns may be absent.
        run_name: names the page in Data Docs.
        docs_folder: folder of the Data Docs site; none: no page is written.

    Returns:
        One result per check, in the contract's order.

    Raises:
        DataError: a feed lacks a column, or has values that its checks cannot read.
        BugError: the same in a table, because a stage of Grove wrote the rows.
    """
    rows = frame if _is_spark(frame) or isinstance(frame, pa.Table) else _as_arrow(frame)
    columns = tuple(rows.columns if _is_spark(rows) else rows.column_names)
    _require_columns(columns, contract)
    checks = [check for check in contract.checks if set(check.columns) <= set(columns)]
    outcome = _run(rows, checks, contract, detailed=False)
    failed = [
        check for check, result in zip(checks, outcome.results, strict=True) if not result.success
    ]
    if failed:
        details = iter(_run(rows, failed, contract, detailed=True).results)
        outcome.results = [
            result if result.success else next(details) for result in outcome.results
        ]
    if docs_folder is not None:
        from grove.quality.data_docs import write_page

        write_page(outcome, run_name=run_name, folder=docs_folder)
    return tuple(
        _check_result(check, result) for check, result in zip(checks, outcome.results, strict=True)
    )


def _is_spark(frame: Frame) -> bool:
    return type(frame).__module__.startswith("pyspark.")


def _as_arrow(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


def _require_columns(columns: Sequence[str], contract: Contract) -> None:
    missing = [name for name in contract.must_have if name not in columns]
    if missing:
        raise _error(
            contract,
            f"{contract.name} lacks {len(missing)} columns",
            expected=", ".join(contract.must_have),
            found=f"no {', '.join(missing)}",
        )


def _error(contract: Contract, what: str, *, expected: str, found: str) -> GroveError:
    where = f"{contract.name}.v{contract.version}"
    if contract.is_feed:
        return DataError(
            what,
            where=where,
            expected=expected,
            found=found,
            next_step="ask the feed's owner to land the day again, then run it again",
        )
    return BugError(
        f"bug: {what}",
        where=where,
        expected=expected,
        found=found,
        next_step="correct the stage that made the rows; retrying will not help",
    )


def _run(
    rows: Frame, checks: Iterable[Check], contract: Contract, *, detailed: bool
) -> ExpectationSuiteValidationResult:
    gx = import_great_expectations()
    checks = tuple(checks)
    counted = _is_spark(rows) and not detailed
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    if _is_spark(rows):
        # The caller persists the frame: GX would cache it and never release it.
        source = context.data_sources.add_spark("spark", persist=False)
        measured = measure_spark(rows, checks, contract, counted=counted)
    else:
        source = context.data_sources.add_pandas("pandas")
        measured = measure_arrow(rows, checks, contract)
    batch = source.add_dataframe_asset(contract.name).add_batch_definition_whole_dataframe("rows")
    suite = context.suites.add(expectation_suite(checks, contract, counted=counted))
    definition = gx.ValidationDefinition(name=contract.name, data=batch, suite=suite)
    outcome = context.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": measured},
        result_format="SUMMARY" if detailed else "BOOLEAN_ONLY",
    )
    _sort_and_reject_exceptions(outcome, checks, contract)
    return outcome


def _sort_and_reject_exceptions(
    outcome: ExpectationSuiteValidationResult, checks: Sequence[Check], contract: Contract
) -> None:
    """Sort results in the order of the checks; an exception is not a verdict on the rows."""
    by_check = {result.expectation_config.meta["check"]: result for result in outcome.results}
    outcome.results = [by_check[check.name] for check in checks]
    for check, result in zip(checks, outcome.results, strict=True):
        message = _exception_message(result)
        if message:
            raise _error(
                contract,
                f"check {check.name} could not be evaluated",
                expected=check.expected,
                found=message,
            )


def _exception_message(result: ExpectationValidationResult) -> str | None:
    """GX reports an exception flat, or one per metric in a nested mapping."""
    information = result.exception_info or {}
    nested = information if "raised_exception" not in information else {"": information}
    for each in nested.values():
        if each.get("raised_exception"):
            return str(each.get("exception_message"))
    return None


def _check_result(check: Check, result: ExpectationValidationResult) -> CheckResult:
    unexpected = int(result.result.get("unexpected_count", 0))
    rows = int(result.result.get("element_count", 0))
    # No sample values: Spark may select others next time, and a rerun must give equal rows.
    # The page in Data Docs shows some.
    observed = f"{unexpected} of {rows} rows ({unexpected / max(rows, 1):.2%}) break it"
    return CheckResult(
        name=check.name,
        severity=check.severity,
        passed=bool(result.success),
        expected=check.expected,
        observed="as expected" if result.success else observed,
        column=check.column,
        unexpected_rows=unexpected,
    )
