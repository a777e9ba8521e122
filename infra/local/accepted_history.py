"""What became of the history that was ingested before the first run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from grove.datasets import Layout
from grove.errors import DataError
from grove.runtime.reports import find_report
from infra.local.progress import say

INGESTION = "ingest_landing"
ACCEPTED = ("committed", "closed")


def require_accepted(layout: Layout, days: Sequence[date]) -> None:
    """Look at what ingestion said of each day: a job that refuses a day exits 0 all the same.

    A refused day is a gap, which every stage that would have read it names; it is said here
    because no task in the UI stands for a day of the history.

    Raises:
        DataError: no day was committed, so there is nothing to learn from.
    """
    reports = {day: find_report(layout, day, INGESTION) for day in days}
    told = {day: report["status"] if report else "no report" for day, report in reports.items()}
    refused = {day: status for day, status in told.items() if status not in ACCEPTED}
    if not refused:
        return
    listed = ", ".join(f"{day} {status}" for day, status in refused.items())
    verdicts = f"{layout.home}/verdicts/<day>/{INGESTION}"
    if "committed" in told.values():
        say(f"{len(refused)} of {len(days)} days of the history are gaps: {listed}")
        say(f"why stands in {verdicts}; mend them and run jobs/{INGESTION}.py --from --to")
        return
    raise DataError(
        "no day of the history was accepted",
        where=f"{layout.home}/reports/<day>/{INGESTION}.json",
        expected="at least one day committed",
        found=listed,
        next_step=f"read which checks fell in {verdicts}, mend what was landed, then `make run` "
        "again: it ingests the history anew",
    )
