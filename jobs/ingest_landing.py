"""Turn landed feeds into clean tables, and keep what is rejected, with the reason.

Reads   landing/<feed>/day=D of every feed the source declares, after its marker; the
        interactions of the days before and after that an event may repeat, and earlier items
Writes  items, users, context, queries, quarantine and, last, interactions of D, none where one
        is rejected; with --from and --to a whole range in one pass, each day separately; a day
        that is closed now loses the rows of an earlier landing
Fails   when a marker or a declared feed is missing, or no row carries a required column;
        rejects a day that fails a check; a closed day ends with its reason

    spark-submit jobs/ingest_landing.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.ingest_landing import ingest_landing


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__, days="range"), argv)


def run(arguments: Namespace) -> None:
    """Close the closed days, and ingest the open ones in one pass."""
    with open_stage("ingest_landing", arguments) as run:
        ingest_landing(run, arguments.days)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
