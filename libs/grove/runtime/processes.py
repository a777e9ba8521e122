"""Ties a driver to its launcher, so that no orphan writes after a run was cancelled."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from grove.datasets import LAUNCHER_VARIABLE

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h
LAUNCHER_POLL_SECONDS = 2.0


def die_with_parent() -> None:
    """Make the kernel end this process when its parent ends; on Linux only.

    Under `spark-submit` the parent is Spark's JVM, which the kernel does not tie to the
    scheduler's task. A daemon thread therefore also watches the parent of the JVM.

    A job spends seconds on imports before this call, and its parent may have died meanwhile. A
    parent with process id 1 is no proof, because in a container this may be the launcher. The
    parents are therefore compared with `LAUNCHER_VARIABLE`, if the launcher has set it.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    # The parent may have died before the request was made.
    if os.getppid() != parent or _launcher_is_gone(parent):
        os.kill(os.getpid(), signal.SIGTERM)
    if _is_jvm(parent):
        _watch_launcher(parent)


def parent_of(process: int) -> int | None:
    """Process id of a process's parent; none if the process has ended.

    Example:
        >>> parent_of(os.getpid()) == os.getppid()
        True
    """
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    line = next(line for line in status.splitlines() if line.startswith("PPid:"))
    return int(line.partition(":")[2])


def other_processes_mib() -> list[float]:
    """Resident memory of each other live process of this job, in MiB; empty without `/proc`.

    They are the processes below this one, and under `spark-submit` its JVM and the processes
    below that. Pages that several processes share count in each of them.
    """
    found: dict[int, tuple[int, float]] = {}
    for file in Path("/proc").glob("[0-9]*/status"):
        # A process may end between the listing and the read.
        with suppress(OSError):
            found[int(file.parent.name)] = _parent_and_mib(file.read_text(encoding="utf-8"))
    this, parent = os.getpid(), os.getppid()
    job, level = set[int](), {parent if _is_jvm(parent) else this}
    while level:
        job |= level
        level = {process for process, (above, _) in found.items() if above in level}
    return [found[one][1] for one in sorted(job - {this}) if found[one][1]]


def _parent_and_mib(status: str) -> tuple[int, float]:
    """A process that has ended and was not waited for has no memory."""
    fields = dict(line.partition(":")[::2] for line in status.splitlines())
    return int(fields["PPid"]), int(fields.get("VmRSS", "0").split()[0]) / 1024


def seconds_since_launch() -> float:
    """Seconds since the launch of this program, or of Spark's JVM if that launched it.

    Returns:
        Time spent on starting processes and importing libraries so far; 0 if the system does not
        report it.

    Example:
        >>> seconds_since_launch() >= 0
        True
    """
    parent = os.getppid()
    launched = _started_at(parent if _is_jvm(parent) else os.getpid())
    return time.clock_gettime(time.CLOCK_BOOTTIME) - launched if launched is not None else 0.0


def _started_at(process: int) -> float | None:
    """Seconds after boot at which a process started."""
    stat = Path(f"/proc/{process}/stat")
    if not stat.exists():
        return None
    # The name, in brackets, may contain spaces; the start time is the 20th field after it.
    ticks = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    return int(ticks) / os.sysconf("SC_CLK_TCK")


def _is_jvm(process: int) -> bool:
    name = Path(f"/proc/{process}/comm")
    return name.exists() and name.read_text(encoding="utf-8").strip() == "java"


def _launcher_is_gone(parent: int) -> bool:
    """Whether neither the parent nor, past Spark's JVM, the parent's parent is the launcher."""
    launcher = os.environ.get(LAUNCHER_VARIABLE, "")
    return launcher.isdecimal() and int(launcher) not in (parent, parent_of(parent))


def _watch_launcher(jvm: int) -> None:
    launcher = parent_of(jvm)

    def watch() -> None:
        while parent_of(jvm) == launcher:
            time.sleep(LAUNCHER_POLL_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="launcher-watch", daemon=True).start()
