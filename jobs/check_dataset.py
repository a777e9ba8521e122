"""Run the contract checks of one dataset by hand, on any day.

Reads   tables/<dataset>_v1, the day's rows, or all rows of a table without days
Writes  the verdict as JSON and as rows of `quality_results`, a page in the day's Data Docs
Fails   with exit code 65 when a `fail` check fails, or an open day has no rows in a table that
        has some on every such day; no data is changed either way

    spark-submit jobs/check_dataset.py --dataset interactions --day 2026-11-19
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.datasets import DATASETS
from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.check_dataset import check_dataset, require_passed


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    parser = job_parser(__doc__)
    parser.add_argument("--dataset", required=True, choices=DATASETS, help="table to check")
    return parse(parser, argv)


def run(arguments: Namespace) -> None:
    """Validate the day's rows, show the verdict, and fail if it rejects them."""
    dataset = DATASETS[arguments.dataset]
    with open_stage("check_dataset", arguments, stage=f"check_dataset.{dataset.name}") as run:
        verdict = check_dataset(run, dataset)
    require_passed(verdict, run.layout, run.day)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
