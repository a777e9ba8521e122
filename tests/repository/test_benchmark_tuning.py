"""What the contestants of Q2 take part with is what the committed table of the trials says."""

from __future__ import annotations

import re
from pathlib import Path

from tests.benchmarks import treebridge
from tests.benchmarks.protocol import TRIALS, TUNED
from tests.benchmarks.table import read_sections

TABLE = Path(treebridge.__file__).parent / "results" / "treebridge.md"
KINDS = "| share | R@10 | N@10 | H@50 | H@100 |"
TRIAL = re.compile(
    r"^\| Q2 (?P<name>.+) with (?P<told>[^|]+), Beauty [^,]+, valid"
    r" \| \S+ \| \S+ \| (?P<value>\S+) \|",
    re.M,
)


def test_every_learner_takes_the_better_trial() -> None:
    found: dict[str, dict[str, float]] = {}
    trials = read_sections(TABLE.read_text(encoding="utf-8"))["beauty-tuning"]
    assert KINDS in trials
    for name, told, value in TRIAL.findall(trials):
        found.setdefault(name, {})[told] = float(value)
    assert sorted(TUNED) == sorted(learner.name for learner in treebridge.LEARNT)
    for learner in treebridge.LEARNT:
        known = {treebridge.told(trial): trial for trial in TRIALS[learner.kind]}
        tried = found[learner.name]
        assert set(tried) == set(known), learner.name
        assert known[max(tried, key=tried.__getitem__)] == TUNED[learner.name], learner.name
