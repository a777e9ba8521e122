"""Comparison of ingested days with the days around them and with the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from grove.contracts import CheckResult
from grove.datasets import INTERACTIONS, Dataset
from grove.runtime.conform import Frame
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import partition_days
from grove.stages.landed_again import changed_days, order_checks
from grove.stages.unknown_items import catalogue_checks, count_unknown_items


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Result of comparing the days of a run, before anything is written."""

    changed: frozenset[date]
    """Days whose interactions are not those in the table."""
    checks: Mapping[date, Sequence[CheckResult]]
    """Checks of each day's interactions."""


def compare_days(
    run: StageRun,
    frames: Mapping[Dataset, Frame],
    days: Sequence[date],
    *,
    held: Mapping[date, Mapping[date, int]],
) -> Comparison:
    """Compare the new rows of some days; the run's reports get the numbers.

    Args:
        run: any day's.
        frames: new rows by table, not yet written.
        days: ingested days, in order.
        held: day → later day → landed events of the day that the later one holds already.
    """
    events = frames[INTERACTIONS]
    accepted = partition_days(run.layout, INTERACTIONS)
    changed = changed_days(run.layout, events, days, accepted)
    after = [day for day in accepted if day > days[-1]]
    has_catalogue = "catalogue" in run.settings.source.feeds
    unknown = count_unknown_items(run.layout, frames, days) if has_catalogue else {}

    def checks_of(day: date) -> tuple[CheckResult, ...]:
        of_day = run.for_day(day)
        later = after if day in changed else []
        order = order_checks(of_day, events, days, later=later, held=held.get(day, {}))
        return (*order, *catalogue_checks(of_day, unknown, accepted))

    return Comparison(changed=frozenset(changed), checks={day: checks_of(day) for day in days})
