"""Variables of a `make` command: parsing, with errors that name the variable."""

from __future__ import annotations

import re
from datetime import date

from grove.day import FORM, parse_day
from grove.errors import SettingsError
from grove.plain_text import visible

HIGHEST_PORT = 65535
DEFAULT_SOURCE = "marketplace"
COMMAND = re.compile(
    r"\bmake (run|check-landing|stop|trigger|backfill|recommend|rollback|export)\b(?!.* SOURCE=)"
)
"""A command in a message, unless it already names a source."""
SOURCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def name_source(message: str, source: str) -> str:
    """Add `SOURCE=` to the commands in a message, so that they can be copied.

    The code that raises an error does not know the source. Output of a job is not changed.

    Example:
        >>> name_source("start Airflow with `make run`", "online-retail")
        'start Airflow with `make run SOURCE=online-retail`'
    """
    if source == DEFAULT_SOURCE:
        return message
    return COMMAND.sub(lambda found: f"{found[0]} SOURCE={visible(source)}", message)


def read_source(text: str) -> str:
    """Read `SOURCE`, which is also the name of a folder below `var/`.

    Raises:
        SettingsError: it is a path, or empty, or has other characters than a name.
    """
    if not SOURCE_NAME.fullmatch(text):
        raise _wrong(
            "SOURCE",
            expected="a name of ASCII letters, digits, hyphens, dots and underscores",
            found=text or "nothing",
            example="make run SOURCE=online-retail",
        )
    return text


def read_word(text: str, *, variable: str, expected: str, example: str) -> str:
    """Read a required variable.

    Args:
        text: the value; empty if the variable was not set.
        variable: its name in the Makefile.
        expected: description of a valid value.
        example: a command that sets it.

    Raises:
        SettingsError: the value is empty.
    """
    if not text:
        raise _wrong(variable, expected=expected, found="nothing", example=example)
    return text


def read_day(text: str, *, variable: str, example: str) -> date:
    """Read a variable that holds a day.

    Example:
        >>> read_day("2026-08-20", variable="DAY", example="make trigger DAY=2026-08-20")
        datetime.date(2026, 8, 20)

    Raises:
        SettingsError: the value is empty, or not a day.
    """
    expected = f"a day, {FORM}"
    word = read_word(text, variable=variable, expected=expected, example=example)
    try:
        return parse_day(word)
    except ValueError as error:
        raise _wrong(variable, expected=expected, found=word, example=example) from error


def read_range(first: str, last: str) -> tuple[date, date]:
    """Read the days `FROM` and `TO`.

    Raises:
        SettingsError: one of them is missing or not a day, or they are reversed.
    """
    example = "make backfill FROM=2026-11-01 TO=2026-11-07"
    ends = (
        read_day(first, variable="FROM", example=example),
        read_day(last, variable="TO", example=example),
    )
    if ends[0] > ends[1]:
        raise _wrong(
            "FROM and TO",
            expected="a first day that is not after the last one",
            found=f"{first} and {last}",
            example=example,
        )
    return ends


def read_flag(text: str, variable: str, example: str) -> bool:
    """Read a variable that is either 1 or not set.

    Raises:
        SettingsError: it is anything else, such as 0 or "no".
    """
    if text not in ("", "1"):
        example = f"{example} {variable}=1"
        raise _wrong(variable, expected="1, or nothing", found=text, example=example)
    return text == "1"


def read_port(text: str) -> int:
    """Read `PORT`.

    Raises:
        SettingsError: it is not a number, or not a valid port.
    """
    if not text.isdecimal() or not 0 < int(text) <= HIGHEST_PORT:
        raise _wrong(
            "PORT",
            expected=f"a number from 1 to {HIGHEST_PORT}",
            found=text or "nothing",
            example="make run PORT=8081",
        )
    return int(text)


def _wrong(variable: str, *, expected: str, found: str, example: str) -> SettingsError:
    return SettingsError(
        "the command cannot be carried out",
        where=variable,
        expected=expected,
        found=found,
        next_step=f"type it as in `{example}`",
    )
