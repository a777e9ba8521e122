from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from tests.free_port import free_port

from grove.errors import InfrastructureError
from infra.local import components
from infra.local.components import (
    COMPONENTS,
    is_alive,
    require_free_port,
    running_components,
    start_airflow,
    stop_airflow,
)
from infra.local.installation import Installation

OBEDIENT = """#!{python}
import os, signal, socket, sys, time
if "api-server" in sys.argv:
    server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
if "db" not in sys.argv:
    time.sleep(60)
"""
STUBBORN = OBEDIENT.replace("if", "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nif", 1)
DYING = "#!{python}\n"


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(home=tmp_path / "shop", port=free_port())


def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, port: int) -> None:
    """Replace Airflow by a small program."""
    file = tmp_path / "airflow"
    file.write_text(program.format(python=sys.executable), encoding="utf-8")
    file.chmod(0o755)
    monkeypatch.setattr(components, "AIRFLOW_PYTHON", file)
    monkeypatch.setenv("PORT", str(port))


def test_four_components_start_once_and_stop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installation: Installation
) -> None:
    use(monkeypatch, tmp_path, OBEDIENT, installation.port)
    try:
        assert start_airflow(installation, {"A": "1"}) is True
        running = running_components(installation)
        assert set(running) == set(COMPONENTS)
        assert start_airflow(installation, {"A": "1"}) is False
        assert running_components(installation) == running
        assert start_airflow(installation, {"A": "2"}) is True
        assert not set(running.values()) & set(running_components(installation).values())
    finally:
        assert stop_airflow(installation) == len(COMPONENTS)
    assert running_components(installation) == {}
    assert stop_airflow(installation) == 0


def test_the_scheduler_starts_after_the_required_preparation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installation: Installation
) -> None:
    use(monkeypatch, tmp_path, OBEDIENT, installation.port)
    seen: list[set[str]] = []
    try:
        start_airflow(
            installation,
            {},
            before_scheduler=lambda: seen.append(set(running_components(installation))),
        )
        assert seen == [{"api-server"}]
    finally:
        stop_airflow(installation)


def test_a_component_that_ignores_the_request_is_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installation: Installation
) -> None:
    use(monkeypatch, tmp_path, STUBBORN, installation.port)
    monkeypatch.setattr(components, "GRACE_SECONDS", 2)
    start_airflow(installation, {})
    running = running_components(installation)
    assert stop_airflow(installation) == len(COMPONENTS)
    assert not any(map(is_alive, running.values()))


def test_a_server_that_dies_is_reported_with_its_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installation: Installation
) -> None:
    use(monkeypatch, tmp_path, DYING, installation.port)
    with pytest.raises(InfrastructureError, match=r"api-server\.log"):
        start_airflow(installation, {})
    assert stop_airflow(installation) == 0


def test_a_reused_process_id_is_not_ours(installation: Installation) -> None:
    file = installation.airflow_home / "scheduler.pid.json"
    file.parent.mkdir(parents=True)
    file.write_text(f'{{"pid": {os.getpid()}, "started": "long ago"}}', encoding="utf-8")
    assert running_components(installation) == {}
    monitored = signal.getsignal(signal.SIGTERM)
    assert stop_airflow(installation) == 0
    assert signal.getsignal(signal.SIGTERM) == monitored


def test_a_busy_port_is_rejected_with_another_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InfrastructureError, match=f"PORT={port + 1}"):
            require_free_port(port)


def test_there_is_no_port_above_the_highest() -> None:
    with socket.socket() as taken:
        try:
            taken.bind(("127.0.0.1", 65535))
        except OSError:
            pytest.skip("another program listens on port 65535")
        taken.listen()
        with pytest.raises(InfrastructureError, match="PORT=65534"):
            require_free_port(65535)
