"""Decide whether a day is ordinary or a retrain day, before anything is trained.

Reads   the manifest of the newest release before D, every file of it against its checksum;
        the day's report of embed_texts, for the encoder; the number of items as of D
Writes  its report: kind, reason, previous release, comparator, last day of training
Fails   when embed_texts has not committed; a broken release is not used as a start

    python jobs/plan_day.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.plan_day import plan_day


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    parser = job_parser(__doc__)
    parser.add_argument("--retrain", action="store_true", help="retrain, even if none is due")
    return parse(parser, argv)


def run(arguments: Namespace) -> None:
    """Look at the newest earlier release, decide, and report."""
    with open_stage("plan_day", arguments) as run:
        plan_day(run, retrain=arguments.retrain)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
