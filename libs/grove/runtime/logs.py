"""One format for every line a job writes: time in UTC, level, job, day, message."""

from __future__ import annotations

import logging
import sys
import time
from datetime import date

from grove.plain_text import visible

ROOT_LOGGER = "grove"


def configure_logs(job: str, day: date | None) -> logging.Logger:
    """Send a job's lines to the error stream in the project's format.

    Args:
        job: name of the job, on every line.
        day: day the job works on, on every line; none prints `-`.

    Returns:
        Logger of the job; loggers of libraries print warnings and errors only.
    """
    label = day.isoformat() if day else "-"
    line = f"%(asctime)sZ %(levelname)s {job} {label} %(message)s"
    formatter = _VisibleFormatter(line, datefmt="%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(ROOT_LOGGER).setLevel(logging.INFO)
    return job_logger(job)


class _VisibleFormatter(logging.Formatter):
    """Lines whose landed values cannot recolour or overwrite a terminal; messages keep breaks."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record), keep="\n\t")


def job_logger(job: str) -> logging.Logger:
    """Logger of a job, below the project's own."""
    return logging.getLogger(f"{ROOT_LOGGER}.{job}")
