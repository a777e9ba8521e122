"""`make check-landing`: land one day, ingest it, and show its verdict, without Airflow.

The day lives in a home of its own, `var/checks/<source>`, which is made anew each time. The jobs
are those of the nightly run, so what passes here passes there; only comparisons with earlier days
have nothing to compare with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from grove.contracts import CheckResult, Verdict
from grove.datasets import FEEDS, INGESTED, QUARANTINE, Layout
from grove.errors import DataError
from grove.plain_text import visible
from grove.runtime.files import remove_tree
from grove.runtime.reports import StageReport, find_report
from grove.runtime.tables import read_arrow
from grove.runtime.terminal import show_table
from grove.settings import Settings
from infra.local.jobs import run_step
from infra.local.outcome import rows_table
from infra.local.settings_file import write_settings

SHOWN_ROWS_PER_REASON = 2
SHOWN_CHARACTERS = 200


@dataclass(frozen=True, kw_only=True)
class CheckRequest:
    """Variables of `make check-landing`."""

    source: str
    day: date
    data: str | None
    landing: str | None
    """Landing zone of a shop with its own collector; none: the source module lands the day."""


def check_landing(home: Path, request: CheckRequest) -> None:
    """Land and ingest one day in a home of its own, and show what became of every row.

    Args:
        home: folder of the check; its content is deleted first.
        request: variables of the command.

    Raises:
        DataError: the day cannot be read, or its gates reject it.
    """
    remove_tree(home)
    file = home / "settings.yaml"
    settings = write_settings(
        file, request.source, first_day=request.day, data=request.data, size=None
    )
    if request.landing:
        _link_landing(Layout(settings.home), Path(request.landing).expanduser().resolve())
    run_step("create_tables", file)
    if not request.landing:
        run_step("land_source", file, "--day", str(request.day))
    run_step("ingest_landing", file, "--day", str(request.day))
    _show(Layout(settings.home), settings, request.day)


def _link_landing(layout: Layout, landing: Path) -> None:
    if not landing.is_dir():
        raise DataError(
            "there is no landing zone",
            where=f"LANDING, {landing}",
            expected=f"a folder with markers/day=… and {', '.join(FEEDS)} as far as declared",
            found="nothing" if not landing.exists() else "a file",
            next_step="correct LANDING=",
        )
    Path(layout.home, "landing").symlink_to(landing, target_is_directory=True)


def _show(layout: Layout, settings: Settings, day: date) -> None:
    report = find_report(layout, day, "ingest_landing")
    if report is None or report.status == "closed":
        print(f"{day} is a closed day: {report.closed_because if report else 'no report'}")
        return
    print("\n".join(rows_table(layout, [day])))
    shapes = report.landed_shapes.items()
    unknown = [(feed, ", ".join(shape["unknown"])) for feed, shape in shapes if shape["unknown"]]
    if unknown:
        show_table(
            "columns that no contract knows; they are not read", ("feed", "columns"), unknown
        )
    rejected = read_arrow(layout, QUARANTINE, day=day).to_pylist()
    if rejected:
        print(f"the first of {len(rejected)} rows in quarantine")
        for line in _samples(rejected):
            print(f"  {visible(line)}")
    for table, result in _failed(layout, day):
        print(
            f"{result.severity}: {table} {result.name}: expected {visible(result.expected)},"
            f" found {visible(result.observed)}"
        )
    _require_accepted(report, day, settings.source.name)


def _samples(rejected: list[dict[str, Any]]) -> Iterator[str]:
    """Up to two rows of each reason."""
    seen: Counter[tuple[str, str]] = Counter()
    for row in sorted(rejected, key=lambda row: (row["feed"], row["file"], row["line"])):
        seen[row["feed"], row["reason"]] += 1
        if seen[row["feed"], row["reason"]] <= SHOWN_ROWS_PER_REASON:
            text = row["raw"][:SHOWN_CHARACTERS]
            yield f"{row['feed']} {row['file']} line {row['line']}, {row['reason']}: {text}"


def _failed(layout: Layout, day: date) -> Iterator[tuple[str, CheckResult]]:
    for dataset in INGESTED:
        path = Path(layout.verdict(day, "ingest_landing", dataset.name))
        if path.is_file():
            verdict = Verdict.from_json(path.read_text(encoding="utf-8"))
            for result in (*verdict.failures, *verdict.warnings):
                yield dataset.name, result


def _require_accepted(report: StageReport, day: date, source: str) -> None:
    if report.status == "committed":
        print(f"{day} of {source} would be accepted")
        return
    raise DataError(
        f"{day} of {source} would be rejected",
        where="the landed day",
        expected="no failed check of severity fail",
        found=f"status {report.status}; the checks are above",
        next_step="correct the source or the collector, and run the check again",
    )
