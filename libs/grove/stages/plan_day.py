"""The plan of a day: an ordinary day or a retrain day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from grove.datasets import ITEMS, SYSTEMS, Layout
from grove.errors import DataError
from grove.release import newest_release_before, verify_release
from grove.release.plan import (
    WEIGHTS_FORMAT,
    EarlierRelease,
    PlanLimits,
    decide_plan,
    earlier_release,
)
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import newest_rows_as_of
from grove.settings import Settings
from grove.stages.handoffs import read_encoder
from grove.stages.landed_again import stale_days


@dataclass(frozen=True, kw_only=True)
class Start:
    """The release a day may start from."""

    release: EarlierRelease | None
    """The newest earlier one; none where there is none or it is broken."""
    broken: str | None = None
    """Why it cannot be used."""


def plan_day(run: StageRun, *, retrain: bool) -> None:
    """Look at the newest earlier release, decide, and report.

    Args:
        run: of the stage.
        retrain: whether a retrain was requested.
    """
    encoder = read_encoder(run.layout, run.day)
    start = find_start(run.layout, run.day)
    items = newest_rows_as_of(run.layout, ITEMS, "item_id", run.day, columns=()).num_rows
    plan = decide_plan(
        run.day,
        start.release,
        shape=plan_shape(run.settings, encoder),
        limits=_limits(run.settings),
        asked=retrain,
        new_items=items - start.release.items if start.release else 0,
    )
    if start.broken:
        run.log.warning("not starting from %s", start.broken)
        plan = replace(plan, reason=f"{plan.reason}; {start.broken}")
    run.report.note_all(plan.as_notes())
    _warn_of_stale_days(run)
    run.log.info("%s is a day of kind %s: %s", run.day, plan.kind, plan.reason)


def _warn_of_stale_days(run: StageRun) -> None:
    """Report the days whose weights do not know events that landed before them by now.

    An update pass learns the events of its own landing day only, so what such a day missed is
    learned by the next retrain day, or when the days have run again.
    """
    stale = stale_days(run.layout, run.day)
    if stale:
        run.report.note("stale_days", {str(day): str(landed) for day, landed in stale.items()})
        for day, landed in stale.items():
            run.log.warning("%s was built before %s landed again", day, landed)


def find_start(layout: Layout, day: date) -> Start:
    """Find the newest release before a day, and verify it."""
    release_id = newest_release_before(layout.releases(), day)
    if release_id is None:
        return Start(release=None)
    try:
        return Start(release=earlier_release(verify_release(Path(layout.releases()) / release_id)))
    except DataError as error:
        return Start(release=None, broken=f"{release_id} is broken: {error.what}, {error.found}")


def plan_shape(settings: Settings, encoder: str) -> dict[str, str]:
    """Settings and versions that the weights of a day depend on, by label.

    Args:
        settings: of the day.
        encoder: fingerprint of the text encoder.
    """
    shape = {
        "encoder": encoder,
        "weights format": WEIGHTS_FORMAT,
        "history length": str(settings.histories.max_events),
    }
    for system in SYSTEMS:
        section = getattr(settings, system.name)
        for name in system.shape:
            shape[f"{system.name} {name.replace('_', ' ')}"] = str(getattr(section, name))
        for label, name in system.switches.items():
            shape[f"{system.name} {label}"] = str(getattr(section, name) > 0)
    return shape


def _limits(settings: Settings) -> PlanLimits:
    return PlanLimits(
        retrain_every_days=settings.plan.retrain_every_days,
        min_free_share=settings.trees.min_free_share,
        max_distortion_growth=settings.trees.max_distortion_growth,
    )
