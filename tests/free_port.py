"""A port for what a test starts on this machine."""

from __future__ import annotations

import socket

from infra.local.installation import HOST


def free_port() -> int:
    """A port on which no program listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
