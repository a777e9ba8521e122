"""Give every user two vectors from the updated STARS, in Spark workers.

Reads   the report of train_stars.update of D and its model folder; items as of D,
        text_embeddings; histories of D, cut through
Writes  user_embeddings of D: h_gen and h_next of every user with a history
Fails   when the update has not committed; rejects vectors that are not finite, and users that
        are missing or occur twice

    spark-submit jobs/infer_users.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.infer_users import infer_users


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__), argv)


def run(arguments: Namespace) -> None:
    """Encode every user with the weights that were trained on the day."""
    with open_stage("infer_users", arguments) as run:
        infer_users(run)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
