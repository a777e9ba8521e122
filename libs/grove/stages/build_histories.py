"""Histories of a day: each user's events in order, cut before the day and through it."""

from __future__ import annotations

from grove import histories
from grove.datasets import CUTS, HISTORIES, INTERACTIONS
from grove.runtime.days import require_history
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import open_table, read_spark


def build_histories(run: StageRun) -> None:
    """Build, validate and write the histories of both cuts."""
    run.earlier_report("ingest_landing")
    require_history(run.layout, run.day)
    max_events = run.settings.histories.max_events
    # Before the rows are read: a landing in between counts as one after this build.
    run.report.version(INTERACTIONS.name, open_table(run.layout, INTERACTIONS).version())
    built = histories.build_histories(
        read_spark(run.spark(), run.layout, INTERACTIONS),
        run.day,
        positive_events=run.settings.source.positive_events,
        max_events=max_events,
    )
    rows = run.persist(built)
    facts = histories.measure_histories(rows, max_events=max_events)
    checks = [*histories.check_histories(facts), run.check_gaps()]
    verdict = run.validate(HISTORIES, rows, checks)
    run.report.rows(in_=facts.events, out=facts.rows)
    run.commit(HISTORIES, rows, verdict, cut=list(CUTS))
