"""Run, trigger, backfill and stop the daily refresh on this machine; see `make help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from grove.errors import GroveError
from infra.local.installation import Installation
from infra.local.jobs import show_plain
from infra.local.refresh import RunRequest, backfill_days, run_days, stop_all, trigger_day
from infra.local.toolchain import REPOSITORY

HOMES = REPOSITORY / "var"


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command and its options."""
    parser = argparse.ArgumentParser(prog="grove", description=__doc__)
    parser.add_argument("--source", default="marketplace", help="source of the days")
    parser.add_argument("--port", type=int, default=8080, help="port of Airflow's UI")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run every day that is missing")
    run.add_argument("--data", help="folder of an outside data set")
    run.add_argument("--days", help="from..to; the default ends yesterday")
    run.add_argument("--size", help="size of the simulated marketplace")
    trigger = commands.add_parser("trigger", help="run one day again")
    trigger.add_argument("--day", type=date.fromisoformat, required=True)
    trigger.add_argument("--retrain", action="store_true", help="train from scratch")
    backfill = commands.add_parser("backfill", help="run a range of days again, in order")
    backfill.add_argument("--from", type=date.fromisoformat, required=True, dest="first")
    backfill.add_argument("--to", type=date.fromisoformat, required=True, dest="last")
    recommend = commands.add_parser("recommend", help="recommend for a user")
    recommend.add_argument("--user", help="id of a user; none shows a few")
    rollback = commands.add_parser("rollback", help="serve an earlier release")
    rollback.add_argument("--to", required=True)
    commands.add_parser("stop", help="stop Airflow")
    return parser.parse_args(argv)


def execute(arguments: argparse.Namespace) -> None:
    """Do what was asked."""
    installation = Installation(home=HOMES / arguments.source, port=arguments.port)
    match arguments.command:
        case "run":
            request = RunRequest(
                source=arguments.source,
                data=arguments.data,
                days=arguments.days or None,
                size=arguments.size,
            )
            run_days(installation, request)
        case "trigger":
            trigger_day(installation, arguments.day, retrain=arguments.retrain)
        case "backfill":
            backfill_days(installation, arguments.first, arguments.last)
        case "recommend":
            user = ("--user", arguments.user) if arguments.user else ()
            show_plain("recommend", installation.settings_file, *user)
        case "rollback":
            show_plain("rollback_release", installation.settings_file, "--to", arguments.to)
        case "stop":
            stop_all(sorted(path for path in HOMES.glob("*") if Path(path).is_dir()))


def main() -> int:
    """Run one command; an error is a message and an exit code, never a traceback."""
    try:
        execute(parse_arguments())
    except GroveError as error:
        print(f"\n{error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("\nAirflow goes on; `make run` shows it again, `make stop` ends it", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
