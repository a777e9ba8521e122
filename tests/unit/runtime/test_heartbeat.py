"""A silent job logs that it is still working; a job that logs regularly does not."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import threading
import time

import pytest

from grove.runtime.heartbeat import heartbeat

LOG = logging.getLogger("grove.test_heartbeat")


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, logger="grove")
    return lambda: [message for message in caplog.messages if message.startswith("still working")]


def test_a_silent_block_logs_the_last_line_its_time_and_its_memory(lines):
    with heartbeat(LOG, seconds=0.02):
        LOG.info("reading %d files\nin detail", 3)
        time.sleep(0.2)
    assert len(lines()) >= 3
    memory = r"peak memory of this process [1-9]\d* MiB(, [1-9]\d* other processes \d+ MiB)?"
    pattern = rf"still working after \d+ s, {memory}; last: reading 3 files"
    assert all(re.fullmatch(pattern, line) for line in lines())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /proc")
def test_a_line_has_the_memory_of_the_processes_that_the_job_started(lines):
    with subprocess.Popen(["sleep", "60"]) as worker, heartbeat(LOG, seconds=0.02):
        time.sleep(0.1)
        worker.kill()
    found = re.search(r", (\d+) other processes (\d+) MiB;", lines()[0])
    assert found
    assert all(int(number) > 0 for number in found.groups())


def test_a_block_that_logs_often_enough_gets_no_heartbeat(lines):
    with heartbeat(LOG, seconds=5):
        for _ in range(10):
            LOG.info("step")
            time.sleep(0.01)
    assert lines() == []


def test_the_heartbeat_ends_with_its_block_even_after_an_error(lines):
    before = list(logging.getLogger("grove").handlers)
    with pytest.raises(ValueError, match="broken"), heartbeat(LOG, seconds=0.01):
        raise ValueError("broken")
    seen = len(lines())
    time.sleep(0.05)
    assert len(lines()) == seen
    assert "heartbeat" not in {thread.name for thread in threading.enumerate()}
    assert logging.getLogger("grove").handlers == before
