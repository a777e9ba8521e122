"""Each training rank says that it ended well, because Spark's local mode does not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def run_and_mark(
    function: Callable[[dict[str, Any]], Any], arguments: dict[str, Any], folder: str
) -> None:
    """Run a rank's function and, only if it returned, leave a file named after the rank.

    Args:
        function: what the rank does.
        arguments: for the function.
        folder: on the driver's machine, where the ranks of local mode run too.
    """
    function(arguments)
    Path(folder, os.environ["RANK"]).touch()


def missing_marks(folder: str, ranks: int) -> list[int]:
    """Ranks that did not end well.

    Example:
        >>> missing_marks("/nowhere", 2)
        [0, 1]
    """
    return [rank for rank in range(ranks) if not Path(folder, str(rank)).exists()]
