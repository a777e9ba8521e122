"""Export the served release's generator as programs that depend on torch alone.

Reads   releases/current.json and the generator of the release it names
Writes  <to>, a new folder of programs with their manifest; see grove.systems.treebridge.export
Fails   when no release is served, a file of the release is missing or changed, or the folder exists
        or cannot be created

    python jobs/export_treebridge.py --to var/exports/2026-11-18 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from grove.datasets import Layout
from grove.runtime.arguments import job_parser, parse, read_settings
from grove.runtime.job import run_job
from grove.stages.export_treebridge import export_treebridge


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    parser = job_parser(__doc__, days="none")
    parser.add_argument("--to", required=True, type=Path, help="folder to create")
    return parse(parser, argv)


def run(arguments: Namespace) -> None:
    """Open the served release and write its generator's programs."""
    export_treebridge(Layout(read_settings(arguments).home), arguments.to)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
