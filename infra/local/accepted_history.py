"""Result of ingesting the history before the first run."""

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
    """Check the report of each ingested day: the job exits with 0 even if it rejects a day.

    A rejected day is a gap, which every stage that reads its range reports. It is reported here
    as well, because days of the history have no task in the UI.

    Raises:
        DataError: no day was committed, so there is no training data.
    """
    reports = {day: find_report(layout, day, INGESTION) for day in days}
    statuses = {day: one.status if one else "no report" for day, one in reports.items()}
    rejected = {day: status for day, status in statuses.items() if status not in ACCEPTED}
    if not rejected:
        return
    listed = ", ".join(f"{day} {status}" for day, status in rejected.items())
    verdicts = f"{layout.home}/verdicts/<day>/{INGESTION}"
    if "committed" in statuses.values():
        say(f"{len(rejected)} of {len(days)} days of the history are gaps: {listed}")
        say(
            f"see {verdicts} for the reasons; fix the files, then run "
            f"jobs/{INGESTION}.py --from {days[0]} --to {days[-1]}"
        )
        return
    raise DataError(
        "no day of the history was accepted",
        where=f"{layout.home}/reports/<day>/{INGESTION}.json",
        expected="at least one day committed",
        found=listed,
        next_step=f"read in {verdicts} which checks failed, fix the landed files, then `make run` "
        "again: it ingests the history again",
    )
