"""A driver ends with its launcher."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grove.runtime import processes
from grove.runtime.processes import LAUNCHER_VARIABLE, other_processes_mib, parent_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's call is Linux's")

CHILD = """
import sys, time
from pathlib import Path
from grove.runtime.processes import die_with_parent
die_with_parent()
print("tied", flush=True)
time.sleep(60)
"""
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.readline()
"""


def is_alive(process: int) -> bool:
    status = Path(f"/proc/{process}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def test_a_child_ends_when_its_parent_is_killed():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.kill()
    parent.wait()
    give_up = time.monotonic() + 10
    while is_alive(child) and time.monotonic() < give_up:
        time.sleep(0.02)
    assert not is_alive(child)


@pytest.mark.parametrize(
    ("launcher", "ends"),
    [
        ("", False),
        (str(os.getpid()), False),  # as a Python job sees its task
        (str(os.getppid()), False),  # as a Spark job sees its task, past the JVM
        (str(2**22 + 1), True),  # a task that died while the job was importing
    ],
    # Not the process ids: each of several test workers has its own, and all must name tests alike.
    ids=["unknown", "parent", "grandparent", "gone"],
)
def test_a_child_whose_launcher_died_before_the_check_ends_at_once(launcher, ends):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        stdout=subprocess.PIPE,
        env={**os.environ, LAUNCHER_VARIABLE: launcher},
    )
    line = child.stdout.readline()
    assert line == (b"" if ends else b"tied\n")
    child.terminate()
    assert child.wait() == -signal.SIGTERM


def test_the_parent_of_a_process():
    assert parent_of(os.getpid()) == os.getppid()
    assert parent_of(2**22 + 1) is None


SHELL = "sleep 60 & echo started; wait"


def test_the_memory_of_a_job_covers_children_and_their_children(monkeypatch):
    before = len(other_processes_mib())
    child = subprocess.Popen(["sh", "-c", SHELL], stdout=subprocess.PIPE, start_new_session=True)
    child.stdout.readline()
    sizes = other_processes_mib()
    assert len(sizes) == before + 2
    assert sum(0 < size < 100 for size in sizes) >= 2
    # As under `spark-submit`, where the parent of this process is the JVM of its job.
    monkeypatch.setattr(processes, "_is_jvm", lambda process: process == os.getppid())
    assert len(other_processes_mib()) > len(sizes)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def test_a_process_that_has_ended_has_no_memory():
    before = len(other_processes_mib())
    child = subprocess.Popen(["true"], stdout=subprocess.PIPE)
    child.stdout.read()
    give_up = time.monotonic() + 10
    while is_alive(child.pid) and time.monotonic() < give_up:
        time.sleep(0.02)
    assert len(other_processes_mib()) == before
    child.wait()
