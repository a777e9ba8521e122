"""Serve another release, usually an earlier one, after checking that it is whole.

Reads   releases/<id>/, every file against its checksum
Writes  releases/current.json
Fails   when there is no such release or it is broken; what is being served stays

    python jobs/rollback_release.py --to 2026-11-18.1 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.datasets import Layout
from grove.release import current_release, point_to
from grove.runtime.arguments import job_parser, parse, read_settings
from grove.runtime.job import run_job
from grove.runtime.logs import job_logger

log = job_logger("rollback_release")


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    parser = job_parser(__doc__, days="none")
    parser.add_argument("--to", required=True, help="id of the release, for example 2026-11-18.1")
    return parse(parser, argv)


def run(arguments: Namespace) -> None:
    """Move the pointer."""
    pointer = Layout(read_settings(arguments).home).current_pointer()
    before = current_release(pointer)
    point_to(pointer, arguments.to)
    log.info("serving %s instead of %s", arguments.to, before or "nothing")


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
