"""Output for interactive use: tables on the terminal, separate from the log."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

NARROWEST = 100
"""Assumed width in characters if the output is not a terminal."""


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table to the standard output.

    Args:
        title: line above the table.
        columns: column headings.
        rows: one value per column; none is shown as an empty cell.
    """
    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    width = None if sys.stdout.isatty() else NARROWEST
    Console(file=sys.stdout, width=width).print(table)
