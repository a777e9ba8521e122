"""Order each user's events, once as known before the day and once including it.

Reads   interactions of D and of all accepted days before
Writes  histories of D, cut `before` (landed by D-1) and cut `through` (landed by D)
Fails   when D was not ingested, or no earlier day was; rejects the day when a history is out
        of order or shows `before` an event of D

    spark-submit jobs/build_histories.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.build_histories import build_histories


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__), argv)


def run(arguments: Namespace) -> None:
    """Build, validate and write the histories of both cuts."""
    with open_stage("build_histories", arguments) as run:
        build_histories(run)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
