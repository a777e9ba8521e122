"""What one run of a stage says about itself: one JSON file, and one row."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any, Literal

from grove.datasets import Layout
from grove.errors import DataError, InfrastructureError
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

    def version(self, name: str, value: str | int) -> None:
        """Keep the version of something the stage read or made."""
        self._versions[name] = value

    def rows(
        self, *, in_: int | None = None, out: int | None = None, rejected: int | None = None
    ) -> None:
        """Count rows read, written and turned away; what is not given stays as it was."""
        given = {"in": in_, "out": out, "rejected": rejected}
        self._rows |= {key: count for key, count in given.items() if count is not None}

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
            "report": json.dumps(self.as_json(), sort_keys=True, ensure_ascii=False),
        }


def find_report(layout: Layout, day: date, stage: str) -> dict[str, Any] | None:
    """Newest report of a stage for a day; none where it never ran."""
    path = layout.report(day, stage)
    if not Path(path).is_file():
        return None
    try:
        return read_json(path)
    except ValueError as error:
        raise InfrastructureError(
            "a stage report cannot be read",
            where=path,
            expected="JSON written by grove.runtime",
            found=str(error),
            next_step=f"run {stage} for {day} again",
        ) from error


def read_report(layout: Layout, day: date, stage: str) -> dict[str, Any]:
    """Newest report of a stage that committed its output for a day.

    Raises:
        DataError: the stage has not run for that day, or did not commit.
    """
    report = find_report(layout, day, stage)
    if report is None or report["status"] != "committed":
        raise DataError(
            f"{stage} has no output for {day}",
            where=layout.report(day, stage),
            expected=f"a report of {stage} with status committed",
            found=f"status {report['status']}" if report else "no report",
            next_step=f"run {stage} for {day} and pass its gate, then run this job again",
        )
    return report
