"""Recommend items to a user from the release that is being served, and show them with titles.

Reads   releases/current.json and the release it names; nothing else
Writes  nothing but a table on the terminal
Fails   when no release is served, a file of the release is missing or changed, or the local
        encoder of the query is not that of the release

    python jobs/recommend.py --settings var/local/settings.yaml --user U0000042
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.datasets import Layout
from grove.runtime.arguments import at_least_one, job_parser, parse, read_settings
from grove.runtime.job import run_job
from grove.stages.recommend import recommend


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    parser = job_parser(__doc__, days="none")
    parser.add_argument("--user", help="id of a user; without it, a few users are shown")
    parser.add_argument("--k", type=at_least_one, default=10, help="items per user")
    parser.add_argument("--region", help="where the user is; default: of the newest event")
    parser.add_argument("--query", default="", help="what the user searches for")
    return parse(parser, argv)


def run(arguments: Namespace) -> None:
    """Open the served release and show each user's list."""
    recommend(
        Layout(read_settings(arguments).home),
        arguments.user,
        k=arguments.k,
        region=arguments.region,
        query=arguments.query,
    )


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
