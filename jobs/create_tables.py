"""Create every Delta table of the catalog with its contract's columns and constraints.

Reads   schemas/*.yaml
Writes  the empty tables; an existing table gets the nullable columns its contract has gained
Fails   when an existing table differs from its contract in any other way; this is not retried

    python jobs/create_tables.py --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.datasets import Layout
from grove.runtime.arguments import job_parser, parse, read_settings
from grove.runtime.job import run_job
from grove.stages.create_tables import create_tables


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__, days="none"), argv)


def run(arguments: Namespace) -> None:
    """Create the tables below the home folder of the settings."""
    create_tables(Layout(read_settings(arguments).home))


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
