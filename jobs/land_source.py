"""Land days of the settings' source, as a shop's collector would; each day's marker comes last.

Reads   the source named in the settings: a simulator, or an outside data set
Writes  landing/<feed>/day=D, truth/day=D of a simulator, then landing/markers/day=D;
        a second run writes the same bytes
Fails   when a day is in the future, the source does not have it, or a declared feed does not exist

    python jobs/land_source.py --from 2026-10-20 --to 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.landing_writer import land_closed_day, land_open_day
from grove.runtime.progress import with_progress
from grove.runtime.stage_run import StageRun, open_stage
from grove.sources import FeedFiles, Source, open_source, require_days, require_feeds


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__, days="range"), argv)


def run(arguments: Namespace) -> None:
    """Land every day of the arguments, in order."""
    with open_stage("land_source", arguments) as stage:
        values = stage.settings.source
        source = open_source(
            values.name,
            values.data,
            **values.model_dump(include={"size", "seed", "first_day", "keep_seen_items"}),
        )
        require_feeds(source, values.feeds)
        require_days(source, arguments.days)
        for day in with_progress(arguments.days, "landing days"):
            _land(source, stage.for_day(day))


def _land(source: Source, stage: StageRun) -> None:
    calendar = source.calendar(stage.day)
    if calendar.state == "closed":
        land_closed_day(stage.layout, stage.day, str(calendar.reason))
        stage.close(str(calendar.reason))
        return
    content = source.land(stage.day)
    feeds: dict[str, FeedFiles] = {feed: content[feed] for feed in stage.settings.source.feeds}
    land_open_day(stage.layout, stage.day, feeds, truth=source.truth(stage.day))
    stage.report.rows(out=sum(feed.rows for feed in feeds.values()))
    stage.report.note("rows", {name: feed.rows for name, feed in feeds.items()})
    stage.report.note("left_out", {name: dict(feed.left_out) for name, feed in feeds.items()})


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
