"""Embed the texts this encoder has not embedded: items as of the day, and search queries.

Reads   items as of D and as of D−1, queries up to D, text_embeddings of the configured encoder
Writes  text_embeddings: rows for unseen texts only; existing rows are not changed
Fails   when the encoder is not a local model; rejects vectors that are not finite or not
        of norm 1, and a day on which some item's text has no vector

    spark-submit jobs/embed_texts.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.embed_texts import embed_texts


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__), argv)


def run(arguments: Namespace) -> None:
    """Embed the texts that have no vector yet."""
    with open_stage("embed_texts", arguments) as run:
        embed_texts(run)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
