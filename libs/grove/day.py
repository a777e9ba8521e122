"""The one spelling of a day: YYYY-MM-DD, for DAGs, jobs, commands, settings and markers.

Days are compared as text in several places (partition keys, folders, release ids). That is the
order of the calendar only if a day has one spelling, so everything that reads a day reads it here.
It imports nothing but the standard library, so DAG files may read it while Airflow parses them.
"""

from __future__ import annotations

from datetime import date

FORM = "YYYY-MM-DD, such as 2026-08-20"


def parse_day(text: str) -> date:
    """Read a day that is written as YYYY-MM-DD, in ASCII digits, with nothing around it.

    `date.fromisoformat` alone also takes 20260820 and 2026-W34-4, and `strptime` takes 2026-8-2 and
    digits of other scripts.

    Args:
        text: the whole text.

    Returns:
        The day, whose `isoformat()` is the text.

    Raises:
        ValueError: the text is anything else; the message repeats it.

    Example:
        >>> parse_day("2026-08-02")
        datetime.date(2026, 8, 2)
        >>> parse_day("2026-8-2")
        Traceback (most recent call last):
        ValueError: '2026-8-2' is not a day in the form YYYY-MM-DD, such as 2026-08-20
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise not_a_day(text) from None
    if day.isoformat() != text:
        raise not_a_day(text)
    return day


def not_a_day(found: object) -> ValueError:
    """The error for whatever stands where a day belongs."""
    return ValueError(f"{found!r} is not a day in the form {FORM}")
