"""The edge of a job: whatever happens inside becomes one log entry and one exit code."""

from __future__ import annotations

import inspect
import logging
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from grove.errors import INFRASTRUCTURE_EXIT_CODE, GroveError
from grove.runtime.arguments import refuse_future
from grove.runtime.logs import configure_logs
from grove.runtime.processes import die_with_parent


def run_job(run: Callable[[Namespace], None], arguments: Namespace) -> int:
    """Run a job to its end and say how it went as an exit code.

    The process is tied to its parent first, so a run that was given up cannot write. A
    refused write is no failure: the job exits 0, and the dataset's gate fails.

    Args:
        run: the job; takes its arguments.
        arguments: from `grove.runtime.arguments.parse`.

    Returns:
        0; the code of a `GroveError`; or `INFRASTRUCTURE_EXIT_CODE` for anything
        unexpected, with its traceback in the log.
    """
    log = configure_logs(Path(inspect.getfile(run)).stem, getattr(arguments, "day", None))
    die_with_parent()
    outcome = JobExit(log)
    with outcome:
        refuse_future(arguments)
        run(arguments)
    return outcome.code


class JobExit:
    """Turns an exception that leaves its block into a log entry and an exit code."""

    def __init__(self, log: logging.Logger) -> None:
        self.code = 0
        self._log = log

    def __enter__(self) -> JobExit:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, GroveError):
            self.code = error.exit_code
            self._log.error("%s: %s", type(error).__name__, error)
            return True
        if isinstance(error, Exception):
            self.code = INFRASTRUCTURE_EXIT_CODE
            self._log.error("unexpected %s", kind, exc_info=error)
            return True
        return False
