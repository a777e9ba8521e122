"""A progress bar, only where a person watches a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Element = TypeVar("Element")


def with_progress(
    elements: Iterable[Element], label: str, *, total: int | None = None
) -> Iterator[Element]:
    """Yield the elements, showing how far the loop is.

    Under a scheduler the error stream is no terminal: nothing is drawn, and the log
    stays free of half lines.

    Args:
        elements: what the loop runs over.
        label: words before the bar.
        total: number of elements, where the iterable does not know it.
    """
    if not sys.stderr.isatty():
        yield from elements
        return
    yield from track(elements, label, total=total, console=Console(stderr=True), transient=True)
