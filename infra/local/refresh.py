"""What `make run`, `trigger`, `backfill` and `stop` do, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from grove.catalog import Layout
from grove.runtime.arguments import days_between
from grove.runtime.clock import Stopwatch, utc_today
from grove.runtime.files import read_json, write_json
from grove.settings import Settings, load_settings
from infra.local.airflow_api import DAG, AirflowApi, open_api, wait_for_airflow
from infra.local.components import start_airflow, stop_airflow
from infra.local.day_plan import DayPlan, missing_days, plan_days
from infra.local.installation import Installation, airflow_environment
from infra.local.jobs import run_plain, run_spark
from infra.local.outcome import show_outcome
from infra.local.progress import ended_runs, watch_days
from infra.local.settings_file import known_first_day, write_settings

JOBS_AT_ONCE = 1
"""Slots of the pool: on a small machine one job at a time is faster than four."""


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What was typed after `make run`."""

    source: str
    data: str | None
    days: str | None
    size: str | None


def run_days(installation: Installation, request: RunRequest) -> None:
    """Land, ingest and run the days that are missing, and show what came out.

    Args:
        installation: where the source lives.
        request: what was typed.
    """
    known = known_first_day(installation.settings_file, request.source)
    plan = plan_days(today=utc_today(), known_first=known, days=request.days)
    settings = write_settings(
        installation.settings_file,
        request.source,
        first_day=plan.history_first,
        data=request.data,
        size=request.size,
    )
    prepare_data(installation, settings, plan)
    last_day = plan.last if plan.ended else None
    say("starting Airflow")
    start_airflow(installation, airflow_environment(installation, settings, last_day=last_day))
    api = wait_for_airflow(installation)
    api.make_pool("spark", JOBS_AT_ONCE)
    layout = Layout(settings.home)
    say(f"running {plan.first} to {plan.last} at {installation.address}")
    run_missing(api, layout, plan, simulated=settings.source.data is None)
    show_outcome(installation, settings, api, plan.days)


def prepare_data(installation: Installation, settings: Settings, plan: DayPlan) -> None:
    """Create the tables, land every day, and ingest the history in one pass; each only once."""
    layout = Layout(settings.home)
    run_plain("create_tables", installation.settings_file)
    every_day = days_between(plan.history_first, plan.last)
    unlanded = [day for day in every_day if not Path(layout.landing_marker(day)).is_file()]
    if unlanded:
        say(f"landing {len(unlanded)} days, {unlanded[0]} to {unlanded[-1]}")
        watch = Stopwatch()
        run_plain("land_source", installation.settings_file, *_range(unlanded[0], unlanded[-1]))
        say(f"landed in {watch.seconds():.0f} s")
    done = installation.home / "history.json"
    history = {"from": str(plan.history_first), "to": str(plan.history_last)}
    if done.is_file() and read_json(done) == history:
        return
    say(f"ingesting the history, {plan.history_first} to {plan.history_last}")
    span = _range(plan.history_first, plan.history_last)
    watch = Stopwatch()
    run_spark("ingest_landing", installation.settings_file, settings, *span)
    write_json(done, history)
    say(f"history ingested in {watch.seconds():.0f} s")


def run_missing(api: AirflowApi, layout: Layout, plan: DayPlan, *, simulated: bool) -> None:
    """Have Airflow run the days without a successful run, and wait for them.

    A backfill stays queued while its DAG is paused, and unpausing starts a run for
    yesterday at once: so the backfill comes first, and yesterday comes by itself.
    """
    runs = api.runs()
    succeeded = [run["partition_key"] for run in runs if run["state"] == "success"]
    pending = [run["partition_key"] for run in runs if run["state"] in ("queued", "running")]
    failed = {run["partition_key"] for run in runs if run["state"] == "failed"}
    ignored = ended_runs(api)
    started = [*succeeded, *pending]
    to_backfill = missing_days(plan.by_backfill, started)
    if to_backfill:
        api.backfill(to_backfill[0], to_backfill[-1], again="failed")
    api.unpause(DAG)
    if simulated:
        api.unpause("demo_collector")
    for day in missing_days(plan.by_schedule, started):
        if str(day) in failed:
            api.trigger(day, {})
    watch_days(api, layout, missing_days(plan.days, succeeded), ignored=ignored)


def trigger_day(installation: Installation, day: date, *, retrain: bool) -> None:
    """Run one day again, and wait for it."""
    api = open_api(installation)
    ignored = ended_runs(api)
    api.trigger(day, {"retrain": retrain})
    _watch(installation, api, [day], ignored)


def backfill_days(installation: Installation, first: date, last: date) -> None:
    """Run a range of days again, in order, and wait for them."""
    api = open_api(installation)
    ignored = ended_runs(api)
    api.backfill(first, last, again="completed")
    _watch(installation, api, days_between(first, last), ignored)


def stop_all(homes: Sequence[Path]) -> None:
    """Stop the Airflow of every source."""
    for home in homes:
        stopped = stop_airflow(Installation(home=home, port=0))
        if stopped:
            say(f"stopped {stopped} components of {home.name}")


def say(line: str) -> None:
    """Tell the person at the terminal what happens next."""
    print(f"grove: {line}", flush=True)


def _watch(
    installation: Installation, api: AirflowApi, days: Sequence[date], ignored: frozenset[str]
) -> None:
    settings = load_settings(installation.settings_file)
    watch_days(api, Layout(settings.home), days, ignored=ignored)
    show_outcome(installation, settings, api, days)


def _range(first: date, last: date) -> tuple[str, ...]:
    return ("--from", str(first), "--to", str(last))
