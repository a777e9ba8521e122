"""Collect the day's results into one release, check it, and move the pointer to it.

Reads   the day's reports of the train jobs (both passes), build_trees and build_index, and
        their artifacts; items as of D, text_embeddings, codes, user_embeddings,
        user_candidates, histories, metrics, and the positives of interactions up to D
Writes  releases/<day>.<attempt>/ with its manifest last, then releases/current.json, unless a
        later day is being served
Fails   when a stage of the day has not committed; rejects a release whose parts do not
        belong together; the served release stays in place either way

    python jobs/publish_release.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.publish_release import publish_release


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    parser = job_parser(__doc__)
    parser.add_argument(
        "--make-current", action="store_true", help="serve it even where a later day is served"
    )
    return parse(parser, argv)


def run(arguments: Namespace) -> None:
    """Collect, check and publish the day's release."""
    with open_stage("publish_release", arguments) as run:
        publish_release(run, make_current=arguments.make_current)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
