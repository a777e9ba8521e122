"""Run, trigger, backfill and stop the daily refresh on this machine; see `make help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from grove.datasets import Layout
from grove.errors import GroveError
from grove.plain_text import visible
from grove.release import expected_release, list_releases
from infra.local.installation import Installation, remembered_port, require_settings
from infra.local.jobs import show_plain
from infra.local.landing_check import CheckRequest, check_landing
from infra.local.make_variables import (
    DEFAULT_SOURCE,
    name_source,
    read_day,
    read_flag,
    read_port,
    read_range,
    read_source,
    read_word,
)
from infra.local.refresh import RunRequest, backfill_days, run_days, stop_all, trigger_day
from infra.local.toolchain import REPOSITORY

HOMES = REPOSITORY / "var"


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command and its options as text; `execute` parses their values.

    Nothing is required here, since errors of argparse would name its flags instead of the
    variables of `make`.
    """
    parser = argparse.ArgumentParser(prog="grove", description=__doc__)
    parser.add_argument("--source", default=DEFAULT_SOURCE, help="source of the days")
    parser.add_argument(
        "--port", default="", help="port of Airflow's UI; default: the last one, or 8080"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run every missing day")
    run.add_argument("--data", help="folder of an external data set")
    run.add_argument("--days", help="from..to; default: up to yesterday")
    run.add_argument("--size", help="size of the simulated marketplace")
    check = commands.add_parser(
        "check-landing", help="land and ingest one day, and show its verdict"
    )
    check.add_argument("--day", default="", help="the day")
    check.add_argument("--data", help="file or folder of an external data set")
    check.add_argument("--landing", help="landing zone of a shop with its own collector")
    trigger = commands.add_parser("trigger", help="run one day again")
    trigger.add_argument("--day", default="", help="the day")
    trigger.add_argument("--retrain", default="", help="1: train from scratch")
    backfill = commands.add_parser("backfill", help="run a range of days again, in order")
    backfill.add_argument("--from", default="", dest="first", help="first day")
    backfill.add_argument("--to", default="", dest="last", help="last day, inclusive")
    recommend = commands.add_parser("recommend", help="recommend for a user")
    recommend.add_argument("--user", help="id of a user; default: a few users")
    recommend.add_argument("--query", default="", help="search query of the user")
    rollback = commands.add_parser("rollback", help="serve an earlier release")
    rollback.add_argument("--to", default="", help="id of the release")
    export = commands.add_parser("export", help="write the generator as programs")
    export.add_argument("--to", default="", help="folder to create")
    stop = commands.add_parser("stop", help="stop Airflow")
    stop.add_argument("--this", action="store_true", help="only the Airflow of the source")
    return parser.parse_args(argv)


def execute(arguments: argparse.Namespace) -> None:
    """Run the command."""
    home = HOMES / read_source(arguments.source)
    installation = Installation(home=home, port=read_port(arguments.port or remembered_port(home)))
    match arguments.command:
        case "run":
            request = RunRequest(
                source=arguments.source,
                data=arguments.data,
                days=arguments.days or None,
                size=arguments.size,
            )
            run_days(installation, request)
        case "check-landing":
            check_landing(HOMES / "checks" / arguments.source, _read_check(arguments))
        case "trigger":
            example = "make trigger DAY=2026-08-20"
            day = read_day(arguments.day, variable="DAY", example=example)
            trigger_day(installation, day, retrain=read_flag(arguments.retrain, "RETRAIN", example))
        case "backfill":
            backfill_days(installation, *read_range(arguments.first, arguments.last))
        case "recommend" | "rollback" | "export":
            _show_job(arguments, installation)
        case "stop":
            homes = sorted(path for path in HOMES.glob("*") if path.is_dir())
            stop_all([require_settings(installation).parent] if arguments.this else homes)


def _show_job(arguments: argparse.Namespace, installation: Installation) -> None:
    """Run a command that is one job, which prints to the terminal."""
    match arguments.command:
        case "recommend":
            user = ("--user", arguments.user) if arguments.user else ()
            query = ("--query", arguments.query) if arguments.query else ()
            show_plain("recommend", require_settings(installation), *user, *query)
        case "rollback":
            release = _read_release(arguments.to, installation.home)
            show_plain("rollback_release", require_settings(installation), "--to", release)
        case "export":
            folder = read_word(
                arguments.to,
                variable="TO",
                expected="a folder that does not exist yet",
                example="make export TO=var/exports/2026-11-18",
            )
            show_plain("export_treebridge", require_settings(installation), "--to", folder)


def _read_check(arguments: argparse.Namespace) -> CheckRequest:
    example = "make check-landing SOURCE=online-retail DATA=<path> DAY=2011-11-18"
    return CheckRequest(
        source=arguments.source,
        day=read_day(arguments.day, variable="DAY", example=example),
        data=arguments.data or None,
        landing=arguments.landing or None,
    )


def _read_release(text: str, home: Path) -> str:
    known = list_releases(Layout(str(home)).releases())
    return read_word(
        text,
        variable="TO",
        expected=expected_release(known),
        example=f"make rollback TO={known[-1] if known else '2026-11-18.1'}",
    )


def main() -> int:
    """Run one command; an error gives a message and an exit code, without a traceback."""
    arguments = parse_arguments()
    try:
        execute(arguments)
    except GroveError as error:
        message = visible(error, keep="\n")
        print(f"\n{name_source(message, arguments.source)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        hint = "Airflow continues its runs; `make run` shows them again, `make stop` ends them"
        print(f"\n{name_source(hint, arguments.source)}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
