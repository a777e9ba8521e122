"""One run of a stage: its day, settings, session, attempts, verdicts, commits and report."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

from deltalake.exceptions import DeltaError
from pyspark.sql import DataFrame, SparkSession

from grove.contracts.verdict import Verdict
from grove.datasets import INTERACTIONS, Dataset, Layout
from grove.errors import GroveError
from grove.runtime.arguments import read_settings
from grove.runtime.attempts import finish_attempt, start_attempt
from grove.runtime.clock import Stopwatch
from grove.runtime.code_version import code_version
from grove.runtime.conform import Frame, rows_of_days
from grove.runtime.days import gap_days, require_history
from grove.runtime.files import write_json, write_text
from grove.runtime.locks import stage_lock
from grove.runtime.logs import job_logger
from grove.runtime.predicates import Partition, Value
from grove.runtime.processes import seconds_since_launch
from grove.runtime.records import write_metrics, write_reports, write_verdicts
from grove.runtime.reports import Report, read_report
from grove.runtime.session_holder import SessionHolder
from grove.runtime.tables import replace_partition
from grove.settings import Settings

Output: TypeAlias = tuple[Dataset, Frame, Verdict, Partition]
"""One dataset of a stage: table, rows, verdict, and partition values besides the day."""
RangeOutput: TypeAlias = tuple[Dataset, Frame, Mapping[date, Verdict]]
"""One dataset over several days: table, rows of all days, and a verdict per day."""


class StageRun:
    """What a job may do while it works on a day; made by `open_stage`.

    Attributes:
        day: UTC day of the run.
        name: name the run reports under, for example `train_stars.update`.
        settings: settings of the environment.
        layout: paths of the home folder.
        report: notes, versions and row counts go here.
        log: logger of the job.
    """

    def __init__(
        self, name: str, day: date, *, run_id: str, settings: Settings, session: SessionHolder
    ) -> None:
        self.name = name
        self.day = day
        self.settings = settings
        self.layout = Layout(settings.home)
        self.report = Report(name, day, run_id)
        self.report.version("code", code_version())
        self.log = job_logger(name)
        self.start_seconds = seconds_since_launch()
        self._session = session
        self._verdicts: dict[str, Verdict] = {}
        self._attempt: Path | None = None
        self._others: dict[date, StageRun] = {}
        self._locks = ExitStack()

    def spark(self) -> SparkSession:
        """The Spark session, opened at the first call; opening it is not counted as work."""
        return self._session.open()

    def persist(self, frame: DataFrame) -> DataFrame:
        """Keep a Spark frame's rows, so that its checks and its write see the same ones.

        The rows live in memory, and on disk where that is short, until the stage ends.
        """
        return self._session.keep(frame)

    @cached_property
    def gap_days(self) -> tuple[date, ...]:
        """Missing days of the weeks before this one; asking names them in the report."""
        gaps = gap_days(self.layout, self.day)
        self.report.gaps = [day.isoformat() for day in gaps]
        if gaps:
            self.log.warning("days missing before %s: %s", self.day, self.report.gaps)
        return gaps

    def require_history(self) -> date:
        """Newest accepted day before this one; a `DataError` that says how to get one if none."""
        return require_history(self.layout, self.day)

    def earlier_report(self, stage: str) -> dict[str, Any]:
        """Report of another stage of this day; a `DataError` unless it committed its output."""
        return read_report(self.layout, self.day, stage)

    @property
    def docs_folder(self) -> str:
        """Folder of this day's Great Expectations pages."""
        return self.layout.data_docs(self.day)

    def new_attempt(self) -> Path:
        """Make an empty folder for files of this run; nobody reads it until it is sealed."""
        self._attempt = start_attempt(self.layout.attempts(self.day, self.name))
        return self._attempt

    def seal_attempt(self) -> Path:
        """Give the folder of `new_attempt` its final name and put it into the report."""
        if self._attempt is None:
            raise RuntimeError("seal_attempt was called without new_attempt")
        final = finish_attempt(self._attempt)
        self._attempt = None
        self.report.artifact = str(final)
        return final

    def record(self, verdict: Verdict) -> bool:
        """Write a verdict where its gate finds it; a fallen `fail` check refuses the stage.

        Returns:
            Whether the verdict passed.
        """
        path = self.layout.verdict(self.day, self.name, verdict.dataset)
        write_text(path, verdict.to_json() + "\n")
        self._verdicts[verdict.dataset] = verdict
        self.report.gate_seconds += verdict.seconds
        self.refuse_if(not verdict.passed)
        for result in (*verdict.failures, *verdict.warnings):
            found = f"expected {result.expected}, found {result.observed}"
            self.log.warning("%s: %s %s: %s", result.severity, verdict.dataset, result.name, found)
        return verdict.passed

    def refuse_if(self, refused: bool) -> None:  # noqa: FBT001 - reads as a sentence
        """Set the report's status to refused; once refused, a stage stays refused."""
        if refused:
            self.report.status = "refused"

    def close(self, reason: str) -> None:
        """Say that the shop was closed on this day, and why; later stages are skipped."""
        self.report.status = "closed"
        self.report.note("reason", reason)

    def commit(
        self,
        dataset: Dataset,
        frame: Frame,
        verdict: Verdict,
        **partition: Value | Sequence[Value],
    ) -> bool:
        """Record a verdict and, if it passed, replace the partition of this day.

        Args:
            dataset: table to write.
            frame: all rows of the partition.
            verdict: what the checks on exactly these rows found.
            **partition: a value, or a list of values, per partition column besides the day.

        Returns:
            Whether the rows were written; if not, the old ones are still there.
        """
        return self.commit_all([(dataset, frame, verdict, partition)])

    def commit_all(self, outputs: Sequence[Output]) -> bool:
        """Record all verdicts and, only if every one passed, replace all partitions."""
        passed = [self.record(verdict) for _, _, verdict, _ in outputs]
        if not all(passed):
            return False
        for dataset, frame, _, partition in outputs:
            day = {"day": self.day} if "day" in dataset.partition_by else {}
            replace_partition(frame, self.layout, dataset, {**day, **partition})
        return True

    def commit_days(self, outputs: Sequence[RangeOutput]) -> tuple[date, ...]:
        """Replace many days of tables partitioned by day alone, each table in one pass.

        A day is written only if all its verdicts passed. Tables are committed one after another;
        a day counts as accepted once it has interactions, so these go last: a run that breaks
        off between two tables leaves a new day unaccepted, and running it again completes it.

        Returns:
            The days that were written, in order.
        """
        refused: set[date] = set()
        judged = sorted({day for _, _, verdicts in outputs for day in verdicts})
        for _, _, verdicts in outputs:
            for day, verdict in verdicts.items():
                if not self.for_day(day).record(verdict):
                    refused.add(day)
        accepted = tuple(day for day in judged if day not in refused)
        for dataset, frame, _ in sorted(outputs, key=lambda output: output[0] == INTERACTIONS):
            if accepted:
                rows = rows_of_days(frame, accepted)
                replace_partition(rows, self.layout, dataset, {"day": accepted})
        return accepted

    def for_day(self, day: date) -> StageRun:
        """This stage on another day of the same run: its own lock, verdicts and report.

        The Spark session is shared, and the seconds of the run are split evenly.
        """
        if day == self.day:
            return self
        if day not in self._others:
            self._locks.enter_context(stage_lock(self.layout, self.name, day))
            self._others[day] = StageRun(
                self.name,
                day,
                run_id=self.report.run_id,
                settings=self.settings,
                session=self._session,
            )
        return self._others[day]

    def measure(self, metrics: Sequence[Mapping[str, Any]]) -> None:
        """Replace this stage's rows of `metrics`; see `records.write_metrics` for their keys."""
        write_metrics(self.layout, self.day, self.name, metrics)

    def _leave(self, error: BaseException | None, seconds: float) -> None:
        stages = [self, *self._others.values()]
        for stage in stages:
            stage._finish_report(error, seconds, len(stages))
        try:
            self._write_records(stages)
        except (GroveError, DeltaError, OSError) as failure:
            if error is None:
                raise
            # What the job failed of decides whether it is retried, not what came after.
            self.log.error("%s %s leaves no records: %s", self.name, self.day, failure)  # noqa: TRY400

    def _write_records(self, stages: Sequence[StageRun]) -> None:
        judged = {stage.day: tuple(stage._verdicts.values()) for stage in stages}
        for stage in stages:
            path = self.layout.report(stage.day, stage.name)
            write_json(path, stage.report.as_json())
        write_verdicts(self.layout, self.name, judged)
        write_reports(self.layout, self.name, [stage.report for stage in stages])

    def _finish_report(self, error: BaseException | None, seconds: float, days: int) -> None:
        report = self.report
        if error is not None:
            report.status = "failed"
            report.note("error", f"{type(error).__name__}: {error}")
        report.start_seconds = self.start_seconds / days
        report.session_seconds = self._session.seconds / days
        report.gate_seconds = min(report.gate_seconds, seconds / days)
        work = seconds / days - report.session_seconds - report.gate_seconds
        report.work_seconds = max(0.0, work)
        self.log.info("%s %s: %s", self.name, self.day, report.as_json())


@contextmanager
def open_stage(job: str, arguments: Namespace, *, stage: str | None = None) -> Iterator[StageRun]:
    """Open a run of a stage; leaving it writes its report, whatever happened inside.

    Args:
        job: name of the job, also of the Spark application (`grove.<job>`).
        arguments: from `grove.runtime.arguments.parse`.
        stage: name to report under, where it differs from the job's; `job.update` for the
            second pass of a day.

    Yields:
        The stage. Its lock, on stage and day, is held until the report is written.

    Raises:
        SettingsError: the settings file is missing or wrong.
        InfrastructureError: another run holds the lock.
    """
    settings = read_settings(arguments)
    name = stage or job
    session = SessionHolder(f"grove.{job}", settings)
    run = StageRun(name, arguments.day, run_id=arguments.run_id, settings=settings, session=session)
    watch = Stopwatch()

    def leave(
        _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        run._leave(error, watch.seconds())

    with ExitStack() as stack:
        stack.enter_context(stage_lock(run.layout, name, run.day))
        stack.enter_context(run._locks)
        stack.callback(session.close)
        stack.push(leave)
        yield run
