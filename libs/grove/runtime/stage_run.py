"""One run of a stage: its day, settings, session, attempts, verdicts, commits and report."""

from __future__ import annotations

import shutil
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

from deltalake.exceptions import DeltaError
from pyspark.sql import DataFrame, SparkSession

from grove.contracts import load_contract
from grove.contracts.verdict import CheckResult, Verdict
from grove.datasets import INTERACTIONS, Dataset, Layout
from grove.errors import GroveError
from grove.quality.invariants import no_gap
from grove.runtime.arguments import read_settings
from grove.runtime.attempts import finish_attempt, start_attempt
from grove.runtime.clock import Stopwatch
from grove.runtime.code_version import code_version
from grove.runtime.conform import Frame, rows_of_days
from grove.runtime.days import gap_days
from grove.runtime.files import write_json, write_text
from grove.runtime.locks import stage_lock
from grove.runtime.logs import job_logger
from grove.runtime.predicates import Value
from grove.runtime.processes import seconds_since_launch
from grove.runtime.records import write_reports, write_verdicts
from grove.runtime.reports import Report, StageReport, read_report
from grove.runtime.session_holder import SessionHolder
from grove.runtime.tables import replace_partition
from grove.settings import Settings

RangeOutput: TypeAlias = tuple[Dataset, Frame, Mapping[date, Verdict]]
"""One dataset over several days: table, rows of all days, and a verdict per day."""


class StageRun:
    """A run of a stage for one day; made by `open_stage`.

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
        """Missing days of the weeks before this one; they are named in the report as well."""
        gaps = gap_days(self.layout, self.day)
        self.report.gaps = [day.isoformat() for day in gaps]
        if gaps:
            self.log.warning("days missing before %s: %s", self.day, self.report.gaps)
        return gaps

    def check_gaps(self) -> CheckResult:
        """Check that no day of the weeks before this one is missing."""
        return no_gap(self.gap_days, fail=self.settings.ingest.fail_on_gap)

    def validate(
        self, dataset: Dataset, rows: Frame, checks: Iterable[CheckResult] = ()
    ) -> Verdict:
        """Validate rows of a dataset against its contract, with a page in the day's Data Docs.

        Args:
            dataset: table the rows are for.
            rows: all rows of the partition; persist a Spark frame first.
            checks: results of the stage's own checks, which join the verdict.
        """
        # Great Expectations' rules are loaded by the stages that validate, not by every job.
        from grove.quality import validate_dataset

        return validate_dataset(
            load_contract(dataset),
            rows,
            run_name=f"{self.day} {self.name}",
            docs_folder=self.layout.data_docs(self.day),
            invariants=checks,
        )

    def earlier_report(self, stage: str) -> StageReport:
        """Report of another stage of this day; a `DataError` unless it committed its output."""
        return read_report(self.layout, self.day, stage)

    def new_attempt(self) -> Path:
        """Make an empty folder for files of this run; it is not read before it is sealed."""
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

    @property
    def staging(self) -> Path:
        """Folder for uncommitted files of this run; a run that fails leaves it behind."""
        return Path(self.layout.staging(self.name, self.day))

    def clear_staging(self) -> None:
        """Remove what the run staged, when it is no longer needed to resume."""
        shutil.rmtree(self.staging, ignore_errors=True)

    def record(self, verdict: Verdict) -> bool:
        """Write a verdict where its gate finds it; a failed `fail` check rejects the output.

        Returns:
            Whether the verdict passed.
        """
        path = self.layout.verdict(self.day, self.name, verdict.dataset)
        write_text(path, verdict.to_json() + "\n")
        self._verdicts[verdict.dataset] = verdict
        self.report.gate_seconds += verdict.seconds
        if not verdict.passed:
            self.refuse()
        for result in (*verdict.failures, *verdict.warnings):
            found = f"expected {result.expected}, found {result.observed}"
            self.log.warning("%s: %s %s: %s", result.severity, verdict.dataset, result.name, found)
        return verdict.passed

    def refuse(self) -> None:
        """Set the report's status to `refused`; it does not change after that."""
        self.report.status = "refused"

    def close(self, reason: str) -> None:
        """Report that the shop was closed on this day, and why; later stages are skipped."""
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
            verdict: result of the checks on exactly these rows.
            **partition: a value, or a list of values, per partition column besides the day.

        Returns:
            Whether the rows were written; if not, the old ones are still there.
        """
        passed = self.record(verdict)
        if passed:
            day = {"day": self.day} if "day" in dataset.partition_by else {}
            replace_partition(frame, self.layout, dataset, {**day, **partition})
        return passed

    def commit_days(self, outputs: Sequence[RangeOutput]) -> tuple[date, ...]:
        """Replace many days of tables partitioned by day alone, each table in one pass.

        A day is written only if all its verdicts passed. Tables are committed one after another;
        a day counts as accepted once it has interactions, so these go last: a run interrupted
        between two tables leaves a new day unaccepted, and running it again completes it.

        Returns:
            The days that were written, in order.
        """
        refused: set[date] = set()
        validated = sorted({day for _, _, verdicts in outputs for day in verdicts})
        for _, _, verdicts in outputs:
            for day, verdict in verdicts.items():
                if not self.for_day(day).record(verdict):
                    refused.add(day)
        accepted = tuple(day for day in validated if day not in refused)
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

    def _leave(self, error: BaseException | None, seconds: float) -> None:
        runs = [self, *self._others.values()]
        for run in runs:
            run._finish_report(error, seconds, len(runs))
        try:
            self._write_records(runs)
        except (GroveError, DeltaError, OSError) as failure:
            if error is None:
                raise
            # The job's own error decides whether it is retried, not this one.
            self.log.error("%s %s leaves no records: %s", self.name, self.day, failure)  # noqa: TRY400

    def _write_records(self, runs: Sequence[StageRun]) -> None:
        verdicts = {run.day: tuple(run._verdicts.values()) for run in runs}
        for run in runs:
            write_json(self.layout.report(run.day, run.name), run.report.as_json())
        write_verdicts(self.layout, self.name, verdicts)
        write_reports(self.layout, self.name, [run.report for run in runs])

    def _finish_report(self, error: BaseException | None, seconds: float, days: int) -> None:
        if error is not None:
            self.report.fail(error)
        self.report.set_seconds(
            start=self.start_seconds / days,
            session=self._session.seconds / days,
            run=seconds / days,
        )
        self.log.info("%s %s: %s", self.name, self.day, self.report.as_json())


@contextmanager
def open_stage(job: str, arguments: Namespace, *, stage: str | None = None) -> Iterator[StageRun]:
    """Open a run of a stage; leaving it writes its report, whatever happened inside.

    Args:
        job: name of the job, also of the Spark application (`grove.<job>`).
        arguments: from `grove.runtime.arguments.parse`.
        stage: name to report under, where it differs from the job's; `job.update` for the
            second pass of a day.

    Yields:
        The run. Its lock, on stage and day, is held until the report is written.

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
