"""Progress bar for interactive terminals."""

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
    """Yield the elements and display the progress of the loop.

    Under a scheduler the error stream is not a terminal: no bar is drawn, and the log contains no
    partial lines.

    Args:
        elements: elements of the loop.
        label: text before the bar.
        total: number of elements, if the iterable has no length.
    """
    if not sys.stderr.isatty():
        yield from elements
        return
    yield from track(elements, label, total=total, console=Console(stderr=True), transient=True)
