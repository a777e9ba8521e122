"""Run the contract checks of one dataset by hand, on any day.

Reads   tables/<dataset>_v1, the day's rows, or all rows of a table without days
Writes  the verdict as JSON and as rows of `quality_results`, a page in the day's Data Docs
Fails   with exit code 65 when a `fail` check falls; no data is changed either way

    spark-submit jobs/check_dataset.py --dataset interactions --day 2026-11-19
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.catalog import DATASETS
from grove.contracts import load_contract, verdict_table
from grove.errors import DataError
from grove.quality import judge
from grove.runtime.arguments import job_parser, parse
from grove.runtime.predicates import sql_predicate
from grove.runtime.stage import open_stage, run_job
from grove.runtime.tables import read_spark


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
        rows = stage.stage_aside(rows)
        stage.report.rows(in_=rows.count())
        contract, run_name = load_contract(dataset), f"{stage.day} check_dataset"
        verdict = judge(contract, rows, run_name=run_name, docs_folder=stage.docs_folder)
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
