"""The tuned options of Q2 are those of the better trial in the committed rows."""

from __future__ import annotations

from tests.benchmarks import treebridge
from tests.benchmarks.lifts import RESULT
from tests.benchmarks.protocol import TRIALS, TUNED
from tests.benchmarks.rows import read_result, rows_of

VALID = "Beauty leave-one-out, valid"
CHOSEN_BY = "HR@50"


def test_every_learner_has_the_options_of_the_better_trial() -> None:
    found: dict[str, dict[str, float]] = {}
    for row in rows_of(read_result(RESULT, "treebridge")["parts"]["beauty-tuning"]):
        assert row.data == VALID
        if row.metric == CHOSEN_BY:
            name, _, trial = row.system.removeprefix("Q2 ").partition(" with ")
            found.setdefault(name, {})[trial] = row.value
    assert sorted(TUNED) == sorted(learner.name for learner in treebridge.LEARNT)
    for learner in treebridge.LEARNT:
        known = {treebridge.trial_name(trial): trial for trial in TRIALS[learner.kind]}
        tried = found[learner.name]
        assert set(tried) == set(known), learner.name
        assert known[max(tried, key=tried.__getitem__)] == TUNED[learner.name], learner.name
