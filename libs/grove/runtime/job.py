"""Entry point of every job: its outcome becomes one exit code, and a failure one log entry."""

from __future__ import annotations

import inspect
import logging
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from subprocess import SubprocessError

from deltalake.exceptions import DeltaError

from grove.errors import BUG_EXIT_CODE, INFRASTRUCTURE_EXIT_CODE, GroveError
from grove.runtime.arguments import reject_future
from grove.runtime.heartbeat import heartbeat
from grove.runtime.logs import configure_logs
from grove.runtime.processes import die_with_parent

RETRIED = (OSError, MemoryError, EOFError, RuntimeError, SubprocessError, DeltaError)
"""Unexpected exceptions for which running again may succeed: disks, networks, memory, commits.

`RuntimeError` is among them because PyTorch raises it for a lack of memory, threads or devices as
well as for wrong shapes: the type does not distinguish them, and a needless retry costs less than
a missing one.
"""
RETRIED_BY_NAME = frozenset(
    {
        "py4j.protocol.Py4JError",
        "pyspark.errors.exceptions.base.PythonException",
        "pyspark.errors.exceptions.base.QueryExecutionException",
        "pyspark.errors.exceptions.base.SparkRuntimeException",
        "pyspark.errors.exceptions.base.UnknownException",
        "delta.exceptions.base.DeltaConcurrentModificationException",
    }
)
"""The same, of libraries that not every job has loaded: a lost JVM or worker.

Spark's other exceptions (a query that cannot be analysed, an illegal argument) are internal errors.
"""
NEVER_RETRIED = (NotImplementedError, RecursionError)
"""Subclasses of `RuntimeError` that only a change of the code can fix."""


def run_job(run: Callable[[Namespace], None], arguments: Namespace) -> int:
    """Run a job and return its exit code.

    The process is first tied to its parent, so that a cancelled run cannot write. A rejected
    write is not a failure: the job exits 0, and the dataset's gate fails.

    Args:
        run: the job; takes its arguments.
        arguments: from `grove.runtime.arguments.parse`.

    Returns:
        0, or `exit_code_of` the exception; the log has the traceback of one that is not a
        `GroveError`.
    """
    log = configure_logs(Path(inspect.getfile(run)).stem, getattr(arguments, "day", None))
    die_with_parent()
    try:
        with heartbeat(log):
            reject_future(arguments)
            run(arguments)
    except Exception as error:  # noqa: BLE001 - the edge of a job
        return _log_failure(log, error)
    return 0


def exit_code_of(error: Exception) -> int:
    """Exit code of a job that ended with an exception.

    Args:
        error: any exception.

    Returns:
        The code of a `GroveError`; `INFRASTRUCTURE_EXIT_CODE` for `RETRIED` and
        `RETRIED_BY_NAME`; `BUG_EXIT_CODE` for all others (`TypeError`, `KeyError`,
        `ValueError` …), because the same code fails again on the same input.

    Example:
        >>> exit_code_of(ConnectionError("reset by peer")), exit_code_of(TypeError("not callable"))
        (75, 70)
    """
    if isinstance(error, GroveError):
        return error.exit_code
    if isinstance(error, NEVER_RETRIED):
        return BUG_EXIT_CODE
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    may_succeed = isinstance(error, RETRIED) or not names.isdisjoint(RETRIED_BY_NAME)
    return INFRASTRUCTURE_EXIT_CODE if may_succeed else BUG_EXIT_CODE


def _log_failure(log: logging.Logger, error: Exception) -> int:
    """Log an exception; return its exit code."""
    code = exit_code_of(error)
    if isinstance(error, GroveError):
        log.error("%s: %s", type(error).__name__, error)
        return code
    outlook = "not retried" if code == BUG_EXIT_CODE else "a retry may succeed"
    log.error("unexpected %s; %s", type(error).__name__, outlook, exc_info=error)
    return code
