"""A job that is silent for long logs that it is still working."""

from __future__ import annotations

import logging
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from grove.runtime.logs import ROOT_LOGGER
from grove.runtime.processes import other_processes_mib

HEARTBEAT_SECONDS = 30.0
_RSS_UNITS_PER_MIB = 1024 if sys.platform == "linux" else 1024 * 1024


@contextmanager
def heartbeat(log: logging.Logger, *, seconds: float = HEARTBEAT_SECONDS) -> Iterator[None]:
    """Log a line whenever the block has logged nothing for some time.

    A line says what was logged last, how long the block has been running, the peak memory of this
    process, and on Linux the present memory of the job's other processes, such as workers and a
    JVM.
    A daemon thread writes it, so work inside one long call is covered too, as long as the call
    releases the interpreter's lock, as those of Spark, NumPy and PyTorch do.

    Args:
        log: where the lines go.
        seconds: longest silence.
    """
    last = _LastLine()
    done = threading.Event()
    root = logging.getLogger(ROOT_LOGGER)
    observer = logging.Handler(logging.INFO)
    observer.addFilter(last.remember)
    root.addHandler(observer)
    thread = threading.Thread(
        target=_beat, args=(log, last, done, seconds), name="heartbeat", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        root.removeHandler(observer)


class _LastLine:
    """Remembers the last line of the project's loggers, and when it came."""

    def __init__(self) -> None:
        self.message = "start"
        self.at = time.monotonic()

    def remember(self, record: logging.LogRecord) -> bool:
        """Take note of a line; as a handler's filter it lets none through."""
        self.at = time.monotonic()
        if record.msg != _LINE:
            self.message = record.getMessage().partition("\n")[0]
        return False


_LINE = "still working after %.0f s, peak memory of this process %.0f MiB%s; last: %s"


def _beat(log: logging.Logger, last: _LastLine, done: threading.Event, seconds: float) -> None:
    started = time.monotonic()
    while not done.wait(max(last.at + seconds - time.monotonic(), 0)):
        if time.monotonic() - last.at >= seconds:
            elapsed = time.monotonic() - started
            log.info(_LINE, elapsed, _peak_mib(), _other_processes(), last.message)


def _other_processes() -> str:
    """Number and memory of the job's other processes; empty text where there are none."""
    sizes = other_processes_mib()
    return f", {len(sizes)} other processes {sum(sizes):.0f} MiB" if sizes else ""


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _RSS_UNITS_PER_MIB
