"""Days that land again, or for the first time, after later days ran.

An event is counted once whatever the order of runs, see `grove.interactions.duplicates`. What later
days built, their histories and models, is from the rows there were when they ran. The reports
record what that was: ingest the version of `interactions` at which a day's rows changed for the
last time, and histories the version they were built from. A gate of every later day warns until the
days in between have run again, in order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyspark.sql.functions as F  # noqa: N812
from pyspark.sql import DataFrame, SparkSession

from grove.contracts import CheckResult, arrow_schema, load_contract
from grove.datasets import INGESTED, INTERACTIONS, Layout
from grove.errors import InfrastructureError
from grove.quality.invariants import earlier_days_current, left_events_kept, no_later_day_built
from grove.runtime.arguments import days_between
from grove.runtime.conform import Frame, conform_arrow, rows_of_days, rows_without
from grove.runtime.days import GAP_WINDOW_DAYS, INGEST_STAGE
from grove.runtime.reports import StageReport, find_report
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import (
    open_table,
    partition_days,
    read_arrow,
    read_spark,
    replace_partition,
)

_LEFT = "accepted_later"
"""Note of an ingest report: later day → landed events that it holds already."""
_KEY = "event_id"


def later_events(
    spark: SparkSession, layout: Layout, last: date, within_days: int
) -> DataFrame | None:
    """Accepted events of the days after a day; none where no such day was ingested.

    Args:
        spark: open session.
        layout: paths of the home.
        last: last day that is ingested now.
        within_days: days in which a late event may land.
    """
    limit = last + timedelta(days=within_days)
    days = [day for day in partition_days(layout, INTERACTIONS) if last < day <= limit]
    events = read_spark(spark, layout, INTERACTIONS)
    return events.where(events["day"].isin(days)) if days else None


def keep_version(run: StageRun) -> None:
    """Carry over the version of the day's rows: it stays until the rows are replaced by others."""
    # A report that cannot be read is about to be replaced by that of this run.
    with suppress(InfrastructureError):
        former = find_report(run.layout, run.day, INGEST_STAGE)
        if former and INTERACTIONS.name in former.versions:
            run.report.version(INTERACTIONS.name, former.versions[INTERACTIONS.name])


def record_version(run: StageRun, days: Collection[date]) -> None:
    """Record that the interactions of some days have just changed."""
    if days:
        version = open_table(run.layout, INTERACTIONS).version()
        for day in days:
            run.for_day(day).report.version(INTERACTIONS.name, version)


def remove_closed(run: StageRun, closed: Collection[date]) -> None:
    """Remove the rows of days that were accepted before and have landed again as closed.

    Interactions go first: a day counts as accepted while it has some. Releases made from the rows
    stay; the served one can be rolled back.
    """
    removed: dict[date, dict[str, int]] = {}
    for dataset in INGESTED:
        days = sorted(set(closed).intersection(partition_days(run.layout, dataset)))
        if days:
            rows = read_arrow(run.layout, dataset, columns=["day"], day=days)["day"]
            for count in pc.value_counts(rows).to_pylist():
                removed.setdefault(count["values"], {})[dataset.name] = count["counts"]
            empty = arrow_schema(load_contract(dataset)).empty_table()
            replace_partition(empty, run.layout, dataset, {"day": days})
    record_version(run, removed)
    for day, tables in removed.items():
        run.for_day(day).report.note("removed_rows", tables)
        run.log.warning("%s was accepted before and is closed now, removed: %s", day, tables)


def changed_days(
    layout: Layout, rows: Frame, days: Sequence[date], accepted: Sequence[date]
) -> set[date]:
    """Days whose new interactions differ from those in the table, as far as a later day cares.

    A day after which no other was accepted counts as changed without a look at its rows.

    Args:
        layout: paths of the home.
        rows: new interactions of all days, not yet written.
        days: ingested days.
        accepted: days that have interactions, in order.
    """
    compared = [day for day in days if day in accepted and day < accepted[-1]]
    equal = set()
    if compared and isinstance(rows, pa.Table):
        equal = {day for day in compared if _same_rows(layout, rows, day)}
    elif compared:
        old = read_spark(rows.sparkSession, layout, INTERACTIONS)
        now, before = (_fingerprints(frame, compared) for frame in (rows, old))
        equal = {day for day in compared if now.get(day) == before.get(day)}
    return set(days) - equal


def order_checks(
    run: StageRun,
    rows: Frame,
    days: Collection[date],
    *,
    later: Sequence[date],
    held: Mapping[date, int],
) -> Iterator[CheckResult]:
    """Check the order in which days were ingested and built; it also reports what is held later.

    Args:
        run: of the day that is checked.
        rows: new interactions of all days of the run.
        days: that are ingested together.
        later: days that ran before the rows of this day were what they are now.
        held: later day → landed events of the day that it holds already.
    """
    held = dict(sorted(held.items()))
    if held:
        run.report.note(_LEFT, {str(day): count for day, count in held.items()})
    yield no_later_day_built(later, held=held, next_step=_backfill(run, later))
    stale = stale_days(run.layout, run.day, running=days)
    yield earlier_days_current(stale, next_step=_backfill(run, stale))
    left = _left_to(run, days)
    if left:
        missing = _missing(run.layout, rows, run.day)
        yield left_events_kept(missing, left=left, next_step=_backfill(run, [*left, run.day]))


def stale_days(layout: Layout, day: date, *, running: Collection[date] = ()) -> dict[date, date]:
    """Days of the weeks before a day that were built before an earlier day landed again.

    Args:
        layout: paths of the home.
        day: the day whose run asks.
        running: days that are ingested now; they are left out.

    Returns:
        Stale day → the earlier day that landed after it was built, in order. A report of earlier
        code has no version: its histories are as old as can be, and its landing is.
    """
    stale: dict[date, date] = {}
    newest, landed = 0, day
    for earlier in days_between(day - timedelta(days=GAP_WINDOW_DAYS), day - timedelta(days=1)):
        ingest = find_report(layout, earlier, INGEST_STAGE)
        built = find_report(layout, earlier, "build_histories")
        if earlier in running or ingest is None:
            continue
        is_built = ingest.status != "closed" and built and built.status == "committed"
        if is_built and _version(built) < newest:
            stale[earlier] = landed
        if _version(ingest) > newest:
            newest, landed = _version(ingest), earlier
    return stale


def _version(report: StageReport | None) -> int:
    return int(report.versions.get(INTERACTIONS.name, 0)) if report else 0


def _backfill(run: StageRun, days: Collection[date]) -> str:
    if not days:
        return ""
    source = run.settings.source.name
    named = "" if source == "marketplace" else f"SOURCE={source} "
    return f"run `make backfill {named}FROM={min(days)} TO={max(days)}`"


def _left_to(run: StageRun, days: Collection[date]) -> dict[date, int]:
    """Earlier days that left events to the day of a run, and how many each."""
    left = {}
    for back in range(run.settings.ingest.lateness_days, 0, -1):
        earlier = run.day - timedelta(days=back)
        report = None if earlier in days else find_report(run.layout, earlier, INGEST_STAGE)
        rows = report.accepted_later.get(run.day, 0) if report else 0
        if rows:
            left[earlier] = rows
    return left


def _missing(layout: Layout, rows: Frame, day: date) -> int:
    """Late events that a day holds in the table and no longer in its new rows."""
    if isinstance(rows, pa.Table):
        old = read_arrow(layout, INTERACTIONS, columns=[_KEY, "event_time"], day=day)
        late = old.filter(pc.less(old["event_time"].cast(pa.date32()), pa.scalar(day)))
        return rows_without(late, rows_of_days(rows, [day]), [_KEY]).num_rows
    old_rows = read_spark(rows.sparkSession, layout, INTERACTIONS).where(F.col("day") == day)
    late_rows = old_rows.where(F.to_date("event_time") < day)
    return late_rows.join(rows_of_days(rows, [day]), _KEY, "left_anti").count()


def _same_rows(layout: Layout, rows: pa.Table, day: date) -> bool:
    new = conform_arrow(rows_of_days(rows, [day]), INTERACTIONS)
    old = conform_arrow(read_arrow(layout, INTERACTIONS, day=day), INTERACTIONS)
    return bool(new.sort_by(_KEY).equals(old.sort_by(_KEY)))


def _fingerprints(rows: DataFrame, days: Sequence[date]) -> dict[date, tuple[int, int]]:
    """Day → number of rows and combined hash of their values; `xxhash64` alone skips nulls."""
    columns = sorted(rows.columns)
    of_row = F.xxhash64(*columns, *(F.col(name).isNull() for name in columns))
    counted = rows_of_days(rows, days).groupBy("day").agg(F.count("*"), F.bit_xor(of_row))
    return {day: (count, fingerprint) for day, count, fingerprint in counted.collect()}
