"""Numbered folders of a stage's output; one appears whole, and is never written again."""

from __future__ import annotations

from pathlib import Path

from grove.runtime.files import TEMPORARY_SUFFIX, flush_folder


def start_attempt(folder: str | Path) -> Path:
    """Make the folder the next attempt is written to; readers do not see it yet.

    Args:
        folder: parent of the numbered folders.

    Returns:
        An empty `<n>.tmp`, where n is one more than any attempt before, finished or not.
    """
    parent = Path(folder)
    parent.mkdir(parents=True, exist_ok=True)
    numbers = [int(path.name.partition(".")[0]) for path in parent.iterdir()]
    attempt = parent / f"{max(numbers, default=0) + 1}{TEMPORARY_SUFFIX}"
    attempt.mkdir()
    return attempt


def finish_attempt(attempt: Path) -> Path:
    """Give a written attempt its final name in one step, and return it."""
    final = attempt.with_name(attempt.name.removesuffix(TEMPORARY_SUFFIX))
    attempt.rename(final)
    flush_folder(final.parent)
    return final
