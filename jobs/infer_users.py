"""Give every user two vectors from the updated STARS, in Spark workers.

Reads   the report of train_stars.update of D and its model folder; items as of D,
        text_embeddings; histories of D, cut through
Writes  user_embeddings of D: h_gen and h_next of every user with a history
Fails   when the update has not committed; refuses vectors that are not finite, and users that
        are missing or there twice

    spark-submit jobs/infer_users.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.datasets import USER_EMBEDDINGS, stage_name
from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.infer_users import embed_users, histories_through, validate_embeddings
from grove.stages.training_pass import forget_inputs


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__), argv)


def run(arguments: Namespace) -> None:
    """Encode the histories cut through the day with the weights that have seen it."""
    with open_stage("infer_users", arguments) as stage:
        model = stage.earlier_report(stage_name("train_stars", "update"))["artifact"]
        histories = histories_through(stage)
        embeddings = stage.persist(embed_users(stage, histories, model))
        users, rows = histories.count(), embeddings.count()
        verdict = validate_embeddings(stage, embeddings, users=users, rows=rows)
        stage.report.rows(in_=users, out=rows)
        stage.commit(USER_EMBEDDINGS, embeddings, verdict)
        forget_inputs(stage)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
