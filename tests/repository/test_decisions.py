"""The list of decisions names every decision, once, by its title."""

from __future__ import annotations

import re
from pathlib import Path

DECISIONS = Path(__file__).resolve().parents[2] / "infra" / "decisions"


def test_index_names_every_decision_by_its_title() -> None:
    listed = re.findall(
        r"^- \[(.+)\]\((.+)\)$", (DECISIONS / "README.md").read_text(encoding="utf-8"), re.M
    )
    written = [
        (file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# "), file.name)
        for file in sorted(DECISIONS.glob("0*.md"))
    ]
    assert len(written) >= 7
    assert listed == written


def test_every_decision_has_its_parts() -> None:
    for file in DECISIONS.glob("0*.md"):
        text = file.read_text(encoding="utf-8")
        for part in ("Status:", "## Context", "## Decision", "## Consequences"):
            assert part in text, f"{file.name} lacks {part}"
