"""Delete expired data: rows, files, artifacts, landed days, records, releases.

Reads   schemas/*.yaml for how long each table is kept, and the settings for the rest
Writes  the tables without their expired days; deletes files that no table refers to, and
        leftovers of earlier days: artifacts, unfinished work, landed files, reports, verdicts,
        Data Docs, notices, releases; never the release being served
Fails   when a table cannot be read; what was deleted before stays deleted

    python jobs/expire_partitions.py --day 2026-11-19 --settings var/local/settings.yaml --dry-run
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.expire_partitions import expire_partitions


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    parser = job_parser(__doc__)
    parser.add_argument(
        "--dry-run", action="store_true", help="report what would be deleted; delete nothing"
    )
    return parse(parser, argv)


def run(arguments: Namespace) -> None:
    """Find the data that has expired as of the day, and delete it."""
    with open_stage("expire_partitions", arguments) as run:
        expire_partitions(run, dry_run=arguments.dry_run)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
