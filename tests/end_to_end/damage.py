"""Deliberate damage to a collector's files."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from grove.datasets import Layout


def garble_lines(layout: Layout, day: date, *, share: float) -> int:
    """Cut a share of a day's event lines in half, so that they are no JSON any more.

    Returns:
        How many lines were cut.
    """
    every = round(1 / share)
    cut = 0
    for file in _event_files(layout, day):
        lines = file.read_bytes().splitlines()
        for place in range(0, len(lines), every):
            lines[place] = lines[place][: len(lines[place]) // 2]
            cut += 1
        file.write_bytes(b"\n".join(lines) + b"\n")
    return cut


def drop_column(layout: Layout, day: date, *, column: str) -> None:
    """Take a column out of every event of a day, as a changed collector would."""
    for file in _event_files(layout, day):
        rows = []
        for line in file.read_bytes().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                event.pop(column, None)
            rows.append(json.dumps(event))
        file.write_text("\n".join(rows) + "\n", encoding="utf-8")


def _event_files(layout: Layout, day: date) -> list[Path]:
    files = sorted(Path(layout.landing_feed("events", day)).glob("part-*"))
    assert files, f"no event files of {day}"
    return files
