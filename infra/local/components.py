"""Start and stop Airflow's four components.

`airflow standalone` does not stop its children, so each component is started in a process
group of its own, with a pid file, and stopped by its pid.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from grove.errors import InfrastructureError
from grove.runtime.clock import Stopwatch
from grove.runtime.files import read_json, write_json
from infra.local.installation import HOST, Installation
from infra.local.make_variables import HIGHEST_PORT
from infra.local.toolchain import AIRFLOW_PYTHON, run

COMPONENTS: dict[str, tuple[str, ...]] = {
    # First, because a task that starts before it responds fails.
    "api-server": (),
    # Both would open a log server to the whole network; here every log is on this disk.
    "scheduler": ("--skip-serve-logs",),
    "dag-processor": (),
    "triggerer": ("--skip-serve-logs",),
}
"""Arguments of Airflow's components, in the order of their start."""
START_SECONDS = 180
"""Time limit for the API server to listen; it takes ten seconds on an idle machine."""
GRACE_SECONDS = 30
"""Time that a component has to end before it is killed, in seconds."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """A started process: its id, and its start time, which distinguishes it from a reused id."""

    pid: int
    started: str


def start_airflow(
    installation: Installation,
    environment: dict[str, str],
    *,
    before_scheduler: Callable[[], None] = lambda: None,
) -> bool:
    """Start the components, unless they already run with the same environment.

    Args:
        installation: whose Airflow to start.
        environment: variables for the components; a change restarts them.
        before_scheduler: called after the API server answers and before the scheduler, which
            could start a run, is up.

    Returns:
        Whether anything was started.

    Raises:
        InfrastructureError: another program uses the port.
    """
    if runs_with(installation, environment):
        return False
    stop_airflow(installation)
    require_free_port(installation.port)
    run(
        [AIRFLOW_PYTHON, "-m", "airflow", "db", "migrate"],
        purpose="prepare Airflow's database",
        **environment,
    )
    for component in COMPONENTS:
        _start(installation, component, environment)
        if component == "api-server":
            _wait_for_port(installation)
            before_scheduler()
    _fingerprint_file(installation).write_text(_fingerprint(environment), encoding="utf-8")
    return True


def runs_with(installation: Installation, environment: dict[str, str]) -> bool:
    """Whether every component runs and was started with these variables."""
    file = _fingerprint_file(installation)
    same = file.is_file() and file.read_text("utf-8") == _fingerprint(environment)
    return same and len(running_components(installation)) == len(COMPONENTS)


def _fingerprint(environment: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(environment, sort_keys=True).encode()).hexdigest()


def _fingerprint_file(installation: Installation) -> Path:
    return installation.airflow_home / "environment.sha256"


def stop_airflow(installation: Installation) -> int:
    """Ask every component to end, wait, and kill the rest of its process group.

    Returns:
        How many components were running.
    """
    running = running_components(installation)
    for process in running.values():
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
    _wait_for_end(running.values(), seconds=GRACE_SECONDS)
    for process in running.values():
        # Each component leads a group of its own, so this reaches its workers and nothing else.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    # A busy machine takes a moment to end them, and the port is needed again.
    _wait_for_end(running.values(), seconds=GRACE_SECONDS)
    for component in COMPONENTS:
        _pid_file(installation, component).unlink(missing_ok=True)
    return len(running)


def _wait_for_end(processes: Collection[Process], *, seconds: float) -> None:
    watch = Stopwatch()
    while any(map(is_alive, processes)) and watch.seconds() < seconds:
        time.sleep(0.2)


def running_components(installation: Installation) -> dict[str, Process]:
    """Running components, by name."""
    found = {}
    for component in COMPONENTS:
        file = _pid_file(installation, component)
        if file.is_file():
            process = Process(**read_json(file))
            if is_alive(process):
                found[component] = process
    return found


def is_alive(process: Process) -> bool:
    """Whether this process, and not another one with its id, still runs."""
    return process.started != "" and _start_of(process.pid) == process.started


def require_free_port(port: int) -> None:
    """Fail early if another program listens on the port of the UI.

    Raises:
        InfrastructureError: the port is taken; the message names another one to try.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise InfrastructureError(
                "the port of Airflow's UI is taken",
                where=f"{HOST}:{port}",
                expected="a free port",
                found=str(error),
                next_step=f"choose another one, `make run PORT={_other(port)}`, or end the program "
                "that listens there (Grove's own Airflow: `make stop SOURCE=<source>`)",
            ) from error


def _other(port: int) -> int:
    return port + 1 if port < HIGHEST_PORT else port - 1


def log_file(installation: Installation, component: str) -> Path:
    """Log of a component."""
    return installation.airflow_home / "logs" / f"{component}.log"


def _pid_file(installation: Installation, component: str) -> Path:
    return installation.airflow_home / f"{component}.pid.json"


def _start(installation: Installation, component: str, environment: dict[str, str]) -> None:
    log = log_file(installation, component)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(
            [str(AIRFLOW_PYTHON), "-m", "airflow", component, *COMPONENTS[component]],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started = _start_of(process.pid)
    write_json(_pid_file(installation, component), {"pid": process.pid, "started": started})


def _wait_for_port(installation: Installation) -> None:
    watch = Stopwatch()
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if probe.connect_ex((HOST, installation.port)) == 0:
                return
        if watch.seconds() > START_SECONDS or "api-server" not in running_components(installation):
            raise InfrastructureError(
                "Airflow's API server did not start",
                where=f"{HOST}:{installation.port}",
                expected=f"a server that listens within {START_SECONDS} seconds",
                found=f"none; its log is {log_file(installation, 'api-server')}",
                next_step="read the end of that log, then `make stop` and `make run` again",
            )
        time.sleep(0.2)


def _start_of(pid: int) -> str:
    """Start time of a process as `ps` prints it; empty if it does not run."""
    answer = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    state, _, started = answer.partition(" ")
    return "" if state.startswith("Z") else started.strip()
