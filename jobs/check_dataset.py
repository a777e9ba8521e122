"""Run the contract checks of one dataset by hand, on any day.

Reads   tables/<dataset>_v1, the day's rows, or all rows of a table without days
Writes  the verdict as JSON and as rows of `quality_results`, a page in the day's Data Docs
Fails   with exit code 65 when a `fail` check falls, or an open day has no rows in a table that
        has some on every such day; no data is changed either way

    spark-submit jobs/check_dataset.py --dataset interactions --day 2026-11-19
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.contracts import load_contract, verdict_table
from grove.datasets import CONTEXT, DATASETS, ITEMS, METRICS, QUARANTINE, QUERIES, USERS
from grove.errors import DataError
from grove.quality import validate_dataset
from grove.quality.invariants import rows_on_open_day
from grove.runtime.arguments import job_parser, parse
from grove.runtime.days import was_closed
from grove.runtime.job import run_job
from grove.runtime.predicates import sql_predicate
from grove.runtime.stage_run import open_stage
from grove.runtime.tables import read_spark

MAY_BE_EMPTY = (ITEMS, USERS, CONTEXT, QUERIES, QUARANTINE, METRICS)
"""Tables in which an open day may have no rows: nothing new, nothing said, nothing refused."""


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    parser = job_parser(__doc__)
    parser.add_argument("--dataset", required=True, choices=DATASETS, help="table to check")
    return parse(parser, argv)


def run(arguments: Namespace) -> None:
    """Judge the day's rows, show the verdict, and fail when it refuses them."""
    dataset = DATASETS[arguments.dataset]
    name = f"check_dataset.{dataset.name}"
    with open_stage("check_dataset", arguments, stage=name) as stage:
        rows = read_spark(stage.spark(), stage.layout, dataset)
        if "day" in dataset.partition_by:
            rows = rows.where(sql_predicate({"day": stage.day}))
        rows = stage.persist(rows)
        count = rows.count()
        stage.report.rows(in_=count)
        needed = dataset not in MAY_BE_EMPTY and not was_closed(stage.layout, stage.day)
        verdict = validate_dataset(
            load_contract(dataset),
            rows,
            run_name=f"{stage.day} check_dataset",
            docs_folder=stage.docs_folder,
            invariants=[rows_on_open_day(count)] if needed else [],
        )
        stage.record(verdict)
        stage.log.info("%s on %s\n%s", dataset.name, stage.day, verdict_table(verdict))
    if not verdict.passed:
        raise DataError(
            f"{dataset.name} breaks its contract",
            where=f"{dataset.name}, day {arguments.day}",
            expected="every `fail` check to hold",
            found=", ".join(result.name for result in verdict.failures),
            next_step=f"read the table above or the pages in {stage.docs_folder}",
        )


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
