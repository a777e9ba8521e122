"""Lines of a job hold landed values as visible text, and messages keep their line breaks."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from tests.unit.test_plain_text import HOSTILE

from grove.plain_text import visible
from grove.runtime.logs import configure_logs


@pytest.fixture(autouse=True)
def same_logging_afterwards() -> Iterator[None]:
    root, grove = logging.getLogger(), logging.getLogger("grove")
    handlers, levels = root.handlers[:], (root.level, grove.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    grove.setLevel(levels[1])


@pytest.mark.parametrize("text", HOSTILE)
def test_a_value_sends_no_control_sequence(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("ingest_landing", None).warning("found %s\n  next: land again", text)
    lines = capsys.readouterr().err.split("\n")
    assert lines[0].endswith(f"WARNING ingest_landing - found {visible(text)}")
    assert lines[1:] == ["  next: land again", ""]
