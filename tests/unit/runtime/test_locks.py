"""Locks exclude other processes, and are released at the end of their holder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from grove.datasets import ITEMS, Layout
from grove.errors import InfrastructureError
from grove.runtime.locks import commit_lock, hold_lock

HOLD = """
import sys, time
from pathlib import Path
from grove.runtime.locks import hold_lock
with hold_lock(Path(sys.argv[1]), wait_seconds=0):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other_process(tmp_path):
    lock = tmp_path / "locks" / "one.lock"
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    yield process, lock
    process.kill()
    process.wait()


def test_a_held_lock_names_its_holder(other_process):
    process, lock = other_process
    with (
        pytest.raises(InfrastructureError, match=f"held by process {process.pid}"),
        hold_lock(lock, wait_seconds=0.1),
    ):
        pass


def test_a_killed_holder_releases_the_lock(other_process):
    process, lock = other_process
    process.send_signal(signal.SIGKILL)
    process.wait()
    with hold_lock(lock, wait_seconds=1):
        assert lock.read_text() == str(os.getpid())


def test_a_lock_can_be_taken_again_after_an_error(tmp_path):
    lock = tmp_path / "one.lock"
    with pytest.raises(ValueError, match="inside"), hold_lock(lock, wait_seconds=0):
        raise ValueError("inside")
    with hold_lock(lock, wait_seconds=0):
        pass


def test_each_table_has_a_lock_of_its_own(tmp_path):
    layout = Layout(str(tmp_path))
    with commit_lock(layout, ITEMS):
        assert (tmp_path / "locks" / "tables" / "items_v1.lock").exists()
