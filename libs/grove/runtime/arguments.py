"""The command line shared by all jobs."""

from __future__ import annotations

import argparse
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

from grove.datasets import PASSES
from grove.day import parse_day
from grove.errors import SettingsError
from grove.runtime.clock import utc_today
from grove.settings import Settings, load_settings

SETTINGS_VARIABLE = "GROVE_SETTINGS"


def job_parser(
    documentation: str | None, *, days: Literal["one", "range", "none"] = "one"
) -> ArgumentParser:
    """Create the parser of a job, with `--settings`, `--run-id` and its days.

    Args:
        documentation: docstring of the job; its first paragraph is the text of `--help`.
        days: `one` requires `--day`; `range` takes `--day`, or `--from` and `--to`;
            `none` adds neither.

    Returns:
        Parser to which a job can add arguments; use it with `parse`.
    """
    description = (documentation or "").partition("\n\n")[0]
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    if days == "one":
        _add_day(parser, "--day", "UTC day to work on, YYYY-MM-DD", required=True)
    if days == "range":
        _add_day(parser, "--day", "one UTC day, YYYY-MM-DD")
        _add_day(parser, "--from", "first day of a range, with --to", destination="first_day")
        _add_day(parser, "--to", "last day of a range, inclusive", destination="last_day")
    settings = os.environ.get(SETTINGS_VARIABLE)
    parser.add_argument(
        "--settings",
        default=settings,
        required=settings is None,
        help=f"settings file of the environment (default: ${SETTINGS_VARIABLE})",
    )
    parser.add_argument("--run-id", default="manual", help="name of the run, kept in reports")
    return parser


def at_least_one(text: str) -> int:
    """A positive integer from the command line, for `type=` of an argument.

    Raises:
        ArgumentTypeError: the text is not an integer of at least 1.

    Example:
        >>> at_least_one("10")
        10
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, at least 1, not {text!r}")
    return int(text)


def training_parser(documentation: str | None) -> ArgumentParser:
    """Create the parser of a job that trains a model: for one day, with `--pass`.

    Args:
        documentation: docstring of the job; see `job_parser`.
    """
    parser = job_parser(documentation)
    parser.add_argument(
        "--pass",
        dest="training_pass",
        choices=PASSES,
        default="candidate",
        help="candidate: weights that have not seen the day; update: train on the day too",
    )
    return parser


def parse(parser: ArgumentParser, argv: Sequence[str] | None = None) -> Namespace:
    """Parse a command line and add `days`, the days it covers.

    With a range, `day` is its first day.

    Args:
        parser: from `job_parser`.
        argv: words after the program's name; none reads those of the process.

    Returns:
        Namespace with `settings`, `run_id`, and, unless the job takes no day, `day` and
        `days` (a tuple, in order).
    """
    words = sys.argv[1:] if argv is None else argv
    # A scheduler's template leaves an empty word for an option that is not set.
    arguments = parser.parse_args([word for word in words if word])
    if hasattr(arguments, "first_day"):
        arguments.days = _days_of_range(parser, arguments)
        arguments.day = arguments.days[0]
    elif hasattr(arguments, "day"):
        arguments.days = (arguments.day,)
    return arguments


def reject_future(arguments: Namespace) -> None:
    """Reject a day that has not begun.

    Raises:
        SettingsError: a day of the arguments is after the machine's current day in UTC.
    """
    today = utc_today()
    future = [day for day in getattr(arguments, "days", ()) if day > today]
    if future:
        raise SettingsError(
            "the day is in the future",
            where=f"day {future[0]}",
            expected=f"a day up to {today} (UTC)",
            found=str(future[0]),
            next_step="pass a day that has begun; check the machine's clock if it has",
        )


def read_settings(arguments: Namespace) -> Settings:
    """Settings of the environment that the command line names."""
    return load_settings(arguments.settings)


def days_between(first: date, last: date) -> tuple[date, ...]:
    """All days from the first to the last, inclusive; empty if they are reversed.

    Example:
        >>> [str(day) for day in days_between(date(2026, 2, 28), date(2026, 3, 1))]
        ['2026-02-28', '2026-03-01']
    """
    return tuple(first + timedelta(days=offset) for offset in range((last - first).days + 1))


def _add_day(
    parser: ArgumentParser,
    flag: str,
    meaning: str,
    *,
    required: bool = False,
    destination: str | None = None,
) -> None:
    parser.add_argument(
        flag,
        type=_day,
        required=required,
        dest=destination or flag.lstrip("-"),
        metavar="YYYY-MM-DD",
        help=meaning,
    )


def _day(text: str) -> date:
    try:
        return parse_day(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _days_of_range(parser: ArgumentParser, arguments: Namespace) -> tuple[date, ...]:
    ends = (arguments.first_day, arguments.last_day)
    if (arguments.day is None) == (None in ends):
        parser.error("give either --day, or both --from and --to")
    if arguments.day is not None:
        if ends != (None, None):
            parser.error("give either --day, or both --from and --to")
        return (arguments.day,)
    days = days_between(*ends)
    if not days:
        parser.error(f"--from {ends[0]} lies after --to {ends[1]}")
    return days
