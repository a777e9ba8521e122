"""Land days of the settings' source, as a shop's collector would; each day's marker comes last.

Reads   the source named in the settings: a simulator, or an outside data set
Writes  landing/<feed>/day=D, truth/day=D of a simulator, then landing/markers/day=D;
        a second run writes the same bytes
Fails   when a day is in the future, the source does not have it, or a declared feed does not exist

    python jobs/land_source.py --from 2026-10-20 --to 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.land_source import land_source


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__, days="range"), argv)


def run(arguments: Namespace) -> None:
    """Land every day of the arguments, in order."""
    with open_stage("land_source", arguments) as run:
        land_source(run, arguments.days)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
