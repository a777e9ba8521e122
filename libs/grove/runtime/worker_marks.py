"""Marks of success of training workers, because Spark's local mode reports none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def run_and_mark(
    function: Callable[[dict[str, Any]], Any], arguments: dict[str, Any], folder: str
) -> None:
    """Run a worker's function and, only if it returned, leave a file named after its rank.

    Args:
        function: of the worker.
        arguments: for the function.
        folder: on the driver's machine, where the workers of local mode run too.
    """
    function(arguments)
    Path(folder, os.environ["RANK"]).touch()


def missing_marks(folder: str, workers: int) -> list[int]:
    """Ranks of the workers that left no mark.

    Example:
        >>> missing_marks("/nowhere", 2)
        [0, 1]
    """
    return [rank for rank in range(workers) if not Path(folder, str(rank)).exists()]
