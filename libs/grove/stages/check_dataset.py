"""Contract checks of one dataset on any day, run by hand."""

from __future__ import annotations

from datetime import date

from grove.contracts import Verdict, load_contract, verdict_table
from grove.datasets import (
    CONTEXT,
    ITEMS,
    METRICS,
    QUARANTINE,
    QUERIES,
    USERS,
    Dataset,
    Layout,
)
from grove.errors import DataError
from grove.quality import validate_dataset
from grove.quality.invariants import rows_on_open_day
from grove.runtime.days import was_closed
from grove.runtime.predicates import sql_predicate
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_spark

MAY_BE_EMPTY = (ITEMS, USERS, CONTEXT, QUERIES, QUARANTINE, METRICS)
"""Tables in which an open day may have no rows: nothing new, no search, no rejected row."""


def check_dataset(run: StageRun, dataset: Dataset) -> Verdict:
    """Validate the day's rows of a dataset, or all rows of one without days; log the verdict."""
    rows = read_spark(run.spark(), run.layout, dataset)
    if "day" in dataset.partition_by:
        rows = rows.where(sql_predicate({"day": run.day}))
    rows = run.persist(rows)
    count = rows.count()
    run.report.rows(in_=count)
    needed = dataset not in MAY_BE_EMPTY and not was_closed(run.layout, run.day)
    verdict = validate_dataset(
        load_contract(dataset),
        rows,
        run_name=f"{run.day} check_dataset",
        docs_folder=run.layout.data_docs(run.day),
        invariants=[rows_on_open_day(count)] if needed else [],
    )
    run.record(verdict)
    run.log.info("%s on %s\n%s", dataset.name, run.day, verdict_table(verdict))
    return verdict


def require_passed(verdict: Verdict, layout: Layout, day: date) -> None:
    """Check that a verdict passed.

    Raises:
        DataError: a `fail` check failed.
    """
    if not verdict.passed:
        raise DataError(
            f"{verdict.dataset} breaks its contract",
            where=f"{verdict.dataset}, day {day}",
            expected="every `fail` check to pass",
            found=", ".join(result.name for result in verdict.failures),
            next_step=f"read the table above or the pages in {layout.data_docs(day)}",
        )
