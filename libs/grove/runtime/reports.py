"""Reports of stage runs: written as one JSON file and one row, read back as a frozen value.

The one module that knows the keys of the file. What a stage reports to another is read by one
function of `grove.stages.handoffs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from grove.datasets import Layout
from grove.errors import DataError, InfrastructureError
from grove.plain_text import json_text
from grove.runtime.files import read_json

Status = Literal["committed", "refused", "closed", "failed"]


class Report:
    """Collects what a stage did while it runs.

    Args:
        stage: name the stage reports under, for example `train_stars.update`.
        day: day of the run.
        run_id: name the scheduler gave the run.
    """

    def __init__(self, stage: str, day: date, run_id: str) -> None:
        self.stage = stage
        self.day = day
        self.run_id = run_id
        self.status: Status = "committed"
        self.artifact: str | None = None
        self.gaps: list[str] = []
        self.start_seconds = 0.0
        self.session_seconds = 0.0
        self.gate_seconds = 0.0
        self.work_seconds = 0.0
        self._rows = {"in": 0, "out": 0, "rejected": 0}
        self._notes: dict[str, Any] = {}
        self._versions: dict[str, str | int] = {}

    def note(self, key: str, value: object) -> None:
        """Keep a fact of this stage under `notes`; anything JSON can hold."""
        self._notes[key] = value

    def note_all(self, facts: Mapping[str, object]) -> None:
        """Keep several facts under `notes`, by key."""
        self._notes |= facts

    def version(self, name: str, value: str | int) -> None:
        """Keep the version of an input or an output of the stage."""
        self._versions[name] = value

    def rows(
        self, *, in_: int | None = None, out: int | None = None, rejected: int | None = None
    ) -> None:
        """Count rows read, written and rejected; counts that are not given stay unchanged."""
        given = {"in": in_, "out": out, "rejected": rejected}
        self._rows |= {key: count for key, count in given.items() if count is not None}

    def fail(self, error: BaseException) -> None:
        """Set the status to failed, and note the error."""
        self.status = "failed"
        self.note("error", f"{type(error).__name__}: {error}")

    def set_seconds(self, *, start: float, session: float, run: float) -> None:
        """Split the seconds of the run: opening a session and gates are no work.

        Args:
            start: from the launch of the process to the run.
            session: spent opening the Spark session.
            run: of the whole run.
        """
        self.start_seconds = start
        self.session_seconds = session
        self.gate_seconds = min(self.gate_seconds, run)
        self.work_seconds = max(0.0, run - session - self.gate_seconds)

    def as_json(self) -> dict[str, Any]:
        """The report as it is written to disk."""
        return {
            "stage": self.stage,
            "day": self.day.isoformat(),
            "run_id": self.run_id,
            "status": self.status,
            "rows": dict(self._rows),
            "seconds": {
                "start": round(self.start_seconds, 3),
                "session": round(self.session_seconds, 3),
                "gate": round(self.gate_seconds, 3),
                "work": round(self.work_seconds, 3),
            },
            "versions": dict(self._versions),
            "gaps": list(self.gaps),
            "artifact": self.artifact,
            "notes": dict(self._notes),
        }

    def as_row(self) -> dict[str, Any]:
        """The report as a row of the table `stage_reports`."""
        return {
            "day": self.day,
            "stage": self.stage,
            "run_id": self.run_id,
            "status": self.status,
            "rows_in": self._rows["in"],
            "rows_out": self._rows["out"],
            "rows_rejected": self._rows["rejected"],
            "session_seconds": self.session_seconds,
            "work_seconds": self.work_seconds,
            "report": json_text(self.as_json()),
        }


@dataclass(frozen=True, kw_only=True)
class StageReport:
    """Report of a finished run of a stage, read back."""

    stage: str
    day: date
    status: Status
    run_id: str | None = None
    """None in a report without one."""
    artifact: Path | None = None
    """Folder of what the run made outside tables, or of what it took over."""
    rows_out: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Seconds by part of the run: start, session, gate, work."""
    versions: Mapping[str, str | int] = field(default_factory=dict)
    """Version by name of what the run read or made."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """Facts of the stage, as it wrote them."""

    @property
    def closed_because(self) -> str | None:
        """Reason why the shop was closed on the day; none where it was open."""
        reason: str | None = self.notes.get("reason")
        return reason

    @property
    def landed_feeds(self) -> dict[str, dict[str, int]]:
        """Rows by feed: landed, accepted, duplicates, and quarantined for any reason."""
        feeds: Mapping[str, Mapping[str, Any]] = self.notes.get("feeds", {})
        return {
            feed: {**counts, "quarantined": sum(counts["quarantined"].values())}
            for feed, counts in feeds.items()
        }

    @property
    def accepted_later(self) -> Mapping[date, int]:
        """Landed events of the day that a later day holds already, by that day."""
        held: Mapping[str, int] = self.notes.get("accepted_later", {})
        return {date.fromisoformat(day): rows for day, rows in held.items()}

    @property
    def unknown_items(self) -> tuple[int, int] | None:
        """Events on items that the catalogue does not have, and all events; none: not counted."""
        counts: list[int] | None = self.notes.get("unknown_items")
        return (counts[0], counts[1]) if counts else None

    @property
    def landed_shapes(self) -> Mapping[str, Mapping[str, Any]]:
        """Shape of each landed feed: rows, filled columns, unknown fields, values."""
        shapes: Mapping[str, Mapping[str, Any]] = self.notes.get("shapes", {})
        return shapes


def find_report(layout: Layout, day: date, stage: str) -> StageReport | None:
    """Newest report of a stage for a day; none where it never ran."""
    path = layout.report(day, stage)
    if not Path(path).is_file():
        return None
    try:
        return _stage_report(read_json(path), day, stage)
    except (ValueError, KeyError) as error:
        raise InfrastructureError(
            "a stage report cannot be read",
            where=path,
            expected="JSON written by grove.runtime",
            found=f"{type(error).__name__}: {error}",
            next_step=f"run {stage} for {day} again",
        ) from error


def read_report(layout: Layout, day: date, stage: str) -> StageReport:
    """Newest report of a stage that committed its output for a day.

    Raises:
        DataError: the stage has not run for that day, or did not commit.
    """
    report = find_report(layout, day, stage)
    if report is None or report.status != "committed":
        raise DataError(
            f"{stage} has no output for {day}",
            where=layout.report(day, stage),
            expected=f"a report of {stage} with status committed",
            found=f"status {report.status}" if report else "no report",
            next_step=f"run {stage} for {day} and pass its gate, then run this job again",
        )
    return report


def _stage_report(content: Mapping[str, Any], day: date, stage: str) -> StageReport:
    """The value of a report's JSON; what earlier code did not write has its default."""
    artifact = content.get("artifact")
    return StageReport(
        stage=stage,
        day=day,
        status=content["status"],
        run_id=content.get("run_id"),
        artifact=Path(artifact) if artifact else None,
        rows_out=content.get("rows", {}).get("out", 0),
        seconds=content.get("seconds", {}),
        versions=content.get("versions", {}),
        notes=content.get("notes", {}),
    )
