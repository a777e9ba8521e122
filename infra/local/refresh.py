"""The commands `make run`, `trigger`, `backfill` and `stop`, step by step."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from grove.datasets import Layout
from grove.runtime.arguments import days_between
from grove.runtime.clock import Stopwatch, utc_today
from grove.runtime.files import read_json, write_json
from grove.runtime.locks import hold_lock
from grove.settings import Settings, load_settings
from grove.sources import source_kind
from infra.local.accepted_history import require_accepted
from infra.local.airflow_api import DAG, AirflowApi, open_api, wait_for_airflow
from infra.local.components import (
    require_free_port,
    running_components,
    runs_with,
    start_airflow,
    stop_airflow,
)
from infra.local.days_to_run import (
    DaysToRun,
    day_ranges,
    missing_days,
    plan_days,
    require_days_that_can_run,
)
from infra.local.installation import (
    LOGIN,
    Installation,
    airflow_environment,
    password,
    remember_days,
    remember_port,
    remembered_days,
    require_settings,
)
from infra.local.jobs import run_plain, run_spark
from infra.local.outcome import show_outcome
from infra.local.progress import ended_runs, say, show_running, watch_days
from infra.local.settings_file import known_first_day, write_settings

JOBS_AT_ONCE = 1
"""Slots of the pool: on a small machine one job at a time is faster than four at once."""
RUN = ("success", "queued", "running", "failed")
"""States of a run."""
BACKFILL_END_SECONDS = 120
"""Time limit for Airflow to mark a backfill as ended after its runs have ended, in seconds."""
SCHEDULE_SECONDS = 60
"""Time limit for the scheduler to create yesterday's run; idle, it takes a few seconds."""


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """Variables of `make run`."""

    source: str
    data: str | None
    days: str | None
    size: str | None


def run_days(installation: Installation, request: RunRequest) -> None:
    """Land, ingest and run the missing days, and print the outcome.

    Args:
        installation: where the source lives.
        request: variables of the command.
    """
    if not running_components(installation):
        # Fails here rather than after minutes of landing and ingesting.
        require_free_port(installation.port)
    known = known_first_day(installation.settings_file, request.source)
    days = request.days or remembered_days(installation)
    plan = plan_days(today=utc_today(), known_first=known, days=days)
    with hold_lock(installation.home / "make-run.lock", wait_seconds=0):
        _run_plan(installation, request, plan)


def _run_plan(installation: Installation, request: RunRequest, plan: DaysToRun) -> None:
    settings = write_settings(
        installation.settings_file,
        request.source,
        first_day=plan.history_first,
        data=request.data,
        size=request.size,
    )
    if settings.source.data and request.days:
        remember_days(installation, request.days)
    prepare_data(installation, settings, plan)
    bring_up_airflow(installation, settings, last_day=plan.last if plan.ended else None)
    api = wait_for_airflow(installation)
    api.make_pool("spark", JOBS_AT_ONCE)
    login = f"login {LOGIN}, password {password(installation)}"
    say(f"running {plan.first} to {plan.last} at {installation.address} ({login})")
    simulated = source_kind(settings.source.name).has_size
    run_missing(api, Layout(settings.home), plan, simulated=simulated)
    show_outcome(installation, settings, api, plan.days)


def bring_up_airflow(
    installation: Installation, settings: Settings, *, last_day: date | None
) -> None:
    """Start Airflow, or restart it if a component has ended or its environment has changed."""
    environment = airflow_environment(installation, settings, last_day=last_day)
    if runs_with(installation, environment):
        say("Airflow is up")
    elif running_components(installation):
        say("restarting Airflow: a component has ended, or settings, days or folder have changed")
    else:
        say("starting Airflow")
    start_airflow(
        installation,
        environment,
        before_scheduler=lambda: open_api(installation).pause(DAG),
    )
    remember_port(installation)


def prepare_data(installation: Installation, settings: Settings, plan: DaysToRun) -> None:
    """Create the tables, land every day, and ingest the history in one pass; each once only."""
    create_tables(installation)
    land_missing(installation, Layout(settings.home), plan)
    ingest_history(installation, settings, plan)


def create_tables(installation: Installation) -> None:
    """Create the missing tables: an upgrade may add some to an existing home."""
    run_plain("create_tables", installation.settings_file)


def land_missing(installation: Installation, layout: Layout, plan: DaysToRun) -> None:
    """Land the days without a marker only: Airflow may be reading a landed day."""
    every_day = days_between(plan.history_first, plan.last)
    unlanded = [day for day in every_day if not Path(layout.landing_marker(day)).is_file()]
    for first, last in day_ranges(unlanded):
        say(f"landing {first} to {last}")
        watch = Stopwatch()
        run_plain("land_source", installation.settings_file, *_range(first, last))
        say(f"landed in {watch.seconds():.0f} s")


def ingest_history(installation: Installation, settings: Settings, plan: DaysToRun) -> None:
    """Ingest the days before the first run in one pass, unless this is done already.

    Raises:
        DataError: every day was rejected; the next `make run` ingests the history again.
    """
    done = installation.home / "history.json"
    history = {"from": str(plan.history_first), "to": str(plan.history_last)}
    if done.is_file() and read_json(done) == history:
        return
    say(f"ingesting the history, {plan.history_first} to {plan.history_last}")
    watch = Stopwatch()
    span = _range(plan.history_first, plan.history_last)
    run_spark("ingest_landing", installation.settings_file, settings, *span)
    days = days_between(plan.history_first, plan.history_last)
    require_accepted(Layout(settings.home), days)
    write_json(done, history)
    say(f"history ingested in {watch.seconds():.0f} s")


def run_missing(api: AirflowApi, layout: Layout, plan: DaysToRun, *, simulated: bool) -> None:
    """Let Airflow run the days without a successful run, in order, and wait for them.

    The scheduler starts yesterday as soon as it can, and a run waits only for earlier runs that
    exist. So the DAG stays paused until every earlier day has a run; meanwhile a backfill stays
    queued.
    """
    api.pause(DAG)
    # First: a run that ends between the two requests must not be ignored and waited for.
    ignored = ended_runs(api)
    today, runs = utc_today(), api.runs()
    days = {state: [run["partition_key"] for run in runs if run["state"] == state] for state in RUN}
    started = [*days["success"], *days["queued"], *days["running"]]
    queue_days(api, missing_days(plan.by_backfill(today), started))
    api.unpause(DAG)
    if simulated:
        api.unpause("demo_collector")
    for day in missing_days(plan.by_schedule(today), started):
        if str(day) in days["failed"] or not is_scheduled(api, day):
            api.trigger(day, {})
    watch_days(api, layout, missing_days(plan.days, days["success"]), ignored=ignored)


def queue_days(api: AirflowApi, days: Sequence[date]) -> None:
    """Create a run for each day, oldest first.

    Airflow allows one backfill at a time. While one is active, the days are triggered one by
    one: their runs wait for each other in the same way.
    """
    if not days:
        return
    if not api.is_backfilling():
        api.backfill(days[0], days[-1], again="failed")
        return
    for day in days:
        api.trigger(day, {})


def is_scheduled(api: AirflowApi, day: date) -> bool:
    """Whether the scheduler creates a run for a day within `SCHEDULE_SECONDS`.

    It does not create a run twice, even if the first one was deleted.
    """
    watch = Stopwatch()
    while True:
        if any(run["partition_key"] == str(day) for run in api.runs()):
            return True
        if watch.seconds() >= SCHEDULE_SECONDS:
            return False
        time.sleep(1)


def trigger_day(installation: Installation, day: date, *, retrain: bool) -> None:
    """Run one day again, and wait for it."""
    _require_days(installation, [day])
    api = open_api(installation)
    api.require_unpaused(DAG)
    create_tables(installation)
    ignored = ended_runs(api)
    api.trigger(day, {"retrain": retrain})
    _watch(installation, api, [day], ignored)


def backfill_days(installation: Installation, first: date, last: date) -> None:
    """Run a range of days again, in order, and wait for them."""
    days = days_between(first, last)
    _require_days(installation, days)
    api = open_api(installation)
    api.require_unpaused(DAG)
    wait_for_ended_backfill(api)
    create_tables(installation)
    ignored = ended_runs(api)
    api.backfill(first, last, again="completed")
    _watch(installation, api, days, ignored)


def wait_for_ended_backfill(api: AirflowApi) -> None:
    """Wait until Airflow marks a backfill as ended whose runs have all ended.

    Airflow allows one backfill at a time and checks them about every half minute. A backfill with
    active runs is not waited for: Airflow rejects the next one with a message.
    """
    watch = Stopwatch()
    while api.is_backfilling() and watch.seconds() < BACKFILL_END_SECONDS:
        show_running(f"{watch.seconds():5.0f} s  until Airflow marks the last backfill as ended")
        if any(run["state"] in ("queued", "running") for run in api.runs()):
            return
        time.sleep(1)


def stop_all(homes: Sequence[Path]) -> None:
    """Stop the Airflow of every source."""
    for home in homes:
        stopped = stop_airflow(Installation(home=home, port=0))
        if stopped:
            say(f"stopped {stopped} components of {home.name}")


def _require_days(installation: Installation, days: Sequence[date]) -> None:
    settings = load_settings(require_settings(installation))
    layout = Layout(settings.home)
    landed = [day for day in days if Path(layout.landing_marker(day)).is_file()]
    known = settings.source.first_day
    require_days_that_can_run(days, today=utc_today(), known_first=known, landed=landed)


def _watch(
    installation: Installation, api: AirflowApi, days: Sequence[date], ignored: frozenset[str]
) -> None:
    settings = load_settings(installation.settings_file)
    watch_days(api, Layout(settings.home), days, ignored=ignored)
    show_outcome(installation, settings, api, days)


def _range(first: date, last: date) -> tuple[str, ...]:
    return ("--from", str(first), "--to", str(last))
