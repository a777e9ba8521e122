"""Output for interactive use: tables on the terminal, separate from the log."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grove.plain_text import visible

NARROWEST = 100
"""Assumed width in characters if the output is not a terminal."""


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table to the standard output.

    Every value is shown as the text it is: square brackets are no markup, and control characters
    appear as escapes.

    Args:
        title: line above the table.
        columns: column headings.
        rows: one value per column; none is shown as an empty cell.
    """
    table = Table(title=_text(title), title_justify="left", box=box.SIMPLE)
    for column in columns:
        table.add_column(_text(column))
    for row in rows:
        table.add_row(*(_text("" if value is None else value) for value in row))
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal of another encoding shows a letter it lacks as an escape.
        sys.stdout.reconfigure(errors="backslashreplace")
    width = None if sys.stdout.isatty() else NARROWEST
    Console(file=sys.stdout, width=width).print(table)


def _text(value: object) -> Text:
    return Text(visible(value))
