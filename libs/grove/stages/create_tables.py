"""Creation of the Delta tables of the catalog."""

from __future__ import annotations

from grove.datasets import DATASETS, Layout
from grove.runtime import tables
from grove.runtime.logs import job_logger

log = job_logger("create_tables")


def create_tables(layout: Layout) -> None:
    """Create the tables of a home with the columns and constraints of their contracts."""
    tables.create_tables(layout)
    log.info("%d tables exist in %s/tables", len(DATASETS), layout.home)
