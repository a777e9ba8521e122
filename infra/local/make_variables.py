"""Read what was typed after a `make` command; an error names the variable it was typed in."""

from __future__ import annotations

import re
from datetime import date

from grove.errors import SettingsError

HIGHEST_PORT = 65535
DEFAULT_SOURCE = "marketplace"
COMMAND = re.compile(
    r"\bmake (run|stop|trigger|backfill|recommend|rollback|export)\b(?!.* SOURCE=)"
)
"""A command in a message, unless the message names a source itself."""


def name_source(message: str, source: str) -> str:
    """Complete the commands that a message names, so that they can be typed as they stand.

    Whoever writes an error does not know that variable; what a job prints itself stays as it is.

    Example:
        >>> name_source("start Airflow with `make run`", "online-retail")
        'start Airflow with `make run SOURCE=online-retail`'
    """
    if source == DEFAULT_SOURCE:
        return message
    return COMMAND.sub(rf"make \1 SOURCE={source}", message)


def read_word(text: str, *, variable: str, expected: str, example: str) -> str:
    """Read a variable that must be there.

    Args:
        text: what was typed; `make` hands over an empty word for a variable that was not.
        variable: its name in the Makefile.
        expected: what it should hold.
        example: a command that gives it.

    Raises:
        SettingsError: nothing was typed.
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
        SettingsError: nothing was typed, or no day.
    """
    expected = "a day, YYYY-MM-DD"
    word = read_word(text, variable=variable, expected=expected, example=example)
    try:
        return date.fromisoformat(word)
    except ValueError as error:
        raise _wrong(variable, expected=expected, found=word, example=example) from error


def read_range(first: str, last: str) -> tuple[date, date]:
    """Read `FROM` and `TO`, both of them days, the first not after the last.

    Raises:
        SettingsError: one of them is missing or no day, or they are reversed.
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
    """Read a variable that is 1 or was not typed.

    Raises:
        SettingsError: it is anything else, such as a 0 or a no that somebody meant.
    """
    if text not in ("", "1"):
        example = f"{example} {variable}=1"
        raise _wrong(variable, expected="1, or nothing", found=text, example=example)
    return text == "1"


def read_port(text: str) -> int:
    """Read `PORT`.

    Raises:
        SettingsError: it is no number, or none that a program may listen on.
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
