"""Locks between processes of one machine; the kernel releases them when a holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from grove.datasets import Dataset, Layout
from grove.errors import InfrastructureError

STAGE_WAIT_SECONDS = 30.0
"""Time that a killed run may need to end and release the lock of its day."""
COMMIT_WAIT_SECONDS = 900.0
"""A commit is short, but several stages may wait for the same table."""
POLL_SECONDS = 0.05


@contextmanager
def stage_lock(layout: Layout, stage: str, day: date) -> Iterator[None]:
    """Exclude a second run of the same stage and day while this one is running.

    Raises:
        InfrastructureError: another run held the lock for `STAGE_WAIT_SECONDS`.
    """
    path = Path(layout.locks()) / "stages" / stage / f"{day:%Y-%m-%d}.lock"
    with hold_lock(path, wait_seconds=STAGE_WAIT_SECONDS):
        yield


@contextmanager
def commit_lock(layout: Layout, dataset: Dataset) -> Iterator[None]:
    """Let one process at a time commit to a table.

    On a local file system Delta's log does not exclude concurrent writes of Spark and delta-rs:
    both could write the same version.

    Raises:
        InfrastructureError: other writers held the lock for `COMMIT_WAIT_SECONDS`.
    """
    path = Path(layout.locks()) / "tables" / f"{dataset.folder}.lock"
    with hold_lock(path, wait_seconds=COMMIT_WAIT_SECONDS):
        yield


@contextmanager
def hold_lock(path: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold an exclusive lock on a file while the block runs.

    Args:
        path: lock file; it is not deleted, and contains the process id of its last holder.
        wait_seconds: time to wait for another holder.

    Raises:
        InfrastructureError: another process still held the lock after that time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        _acquire(file.fileno(), path, wait_seconds)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _acquire(descriptor: int, path: Path, wait_seconds: float) -> None:
    give_up = time.monotonic() + wait_seconds
    while not _try_lock(descriptor):
        if time.monotonic() >= give_up:
            raise InfrastructureError(
                "another run holds the lock",
                where=str(path),
                expected=f"a free lock within {wait_seconds:g} seconds",
                found=f"held by process {path.read_text(encoding='utf-8') or 'unknown'}",
                next_step="wait for that run to end, or end it; then run again",
            )
        time.sleep(POLL_SECONDS)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
