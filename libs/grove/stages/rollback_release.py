"""Rollback: another release is served, after checking that it is complete."""

from __future__ import annotations

from grove.datasets import Layout
from grove.release import current_release, point_to
from grove.runtime.logs import job_logger

log = job_logger("rollback_release")


def rollback_release(layout: Layout, release_id: str) -> None:
    """Move the pointer to a release."""
    pointer = layout.current_pointer()
    before = current_release(pointer)
    point_to(pointer, release_id)
    log.info("serving %s instead of %s", release_id, before or "nothing")
