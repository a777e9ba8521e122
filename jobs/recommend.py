"""Recommend items to a user from the release that is being served, and show them with titles.

Reads   releases/current.json and the release it names; nothing else
Writes  nothing but a table on the terminal
Fails   when nothing was published yet, the release does not verify, or a query would be
        embedded by another encoder than the release's

    python jobs/recommend.py --settings var/local/settings.yaml --user U0000042
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.datasets import Layout
from grove.runtime.arguments import at_least_one, job_parser, parse, read_settings
from grove.runtime.job import run_job
from grove.runtime.terminal import show_table
from grove.serving import open_current_release, query_vector, recommend

SHOWN_USERS = 3
"""How many users are shown when none is named."""


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
    reader = open_current_release(Layout(read_settings(arguments).home).current_pointer())
    keyword = query_vector(reader.manifest, arguments.query)
    known = reader.histories["user_id"].slice(0, SHOWN_USERS).to_pylist()
    for user in [arguments.user] if arguments.user else known:
        found = recommend(
            reader,
            user,
            k=arguments.k,
            region=arguments.region,
            keyword_vector=keyword,
        )
        told = user if reader.history_of(user).num_rows else f"{user} (no history)"
        show_table(
            f"{told}, release {reader.manifest.release_id}",
            ("item", "title", "price", "found by"),
            [(one.item_id, one.title, one.price, ", ".join(one.found_by)) for one in found],
        )


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
