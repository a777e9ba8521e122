"""Serve another release, usually an earlier one, after verifying it.

Reads   releases/<id>/, every file against its checksum
Writes  releases/current.json
Fails   when there is no such release or it is broken; the served release stays in place

    python jobs/rollback_release.py --to 2026-11-18.1 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.datasets import Layout
from grove.runtime.arguments import job_parser, parse, read_settings
from grove.runtime.job import run_job
from grove.stages.rollback_release import rollback_release


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    parser = job_parser(__doc__, days="none")
    parser.add_argument("--to", required=True, help="id of the release, for example 2026-11-18.1")
    return parse(parser, argv)


def run(arguments: Namespace) -> None:
    """Move the pointer."""
    rollback_release(Layout(read_settings(arguments).home), arguments.to)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
