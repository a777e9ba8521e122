"""Inputs of a release: the weights it publishes, and those that were evaluated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from grove.datasets import TREES
from grove.release import CANDIDATES, MODELS, STAGES, PublishedWeights, ReleaseInputs
from grove.release.plan import RetrainPlan

DAY = date(2026, 8, 20)
PLAN = RetrainPlan(
    kind="ordinary",
    reason="weights are 1 days old",
    previous_release="2026-08-19.1",
    comparator="2026-08-19.1",
    learned_through=date(2026, 8, 19),
    rebuild_trees=False,
    trained_on=date(2026, 8, 18),
    shape={"encoder": "e0"},
)
INPUTS = ReleaseInputs(
    plan=PLAN,
    trees_folder=Path("/made/trees"),
    trees={"llm": {"generation": "g"}},
    index_folder=Path("/made/index"),
    weights={
        model: PublishedWeights(
            folder=Path("/made", model),
            model_version=f"{model}-after",
            learned_through="2026-08-18",
        )
        for model in MODELS
    },
    evaluated={model: f"{model}-before" for model in MODELS},
)


def test_evaluated_and_published_weights_are_distinguished():
    facts = INPUTS.facts(DAY)
    assert facts["judged"] == {model: f"{model}-before" for model in MODELS}
    assert {model: one["model_version"] for model, one in facts["weights"].items()} == {
        model: f"{model}-after" for model in MODELS
    }
    assert RetrainPlan.from_notes(facts["plan"]) == PLAN
    assert facts["trees"]["llm"] == {"generation": "g"}


def test_the_last_day_of_training_is_that_of_the_report():
    silent = replace(INPUTS.weights["dssm"], learned_through=None)
    weights = replace(INPUTS, weights={**INPUTS.weights, "dssm": silent}).facts(DAY)["weights"]
    assert weights["stars"]["learned_through"] == "2026-08-18"
    assert weights["dssm"]["learned_through"] == "2026-08-20"


def test_every_artifact_has_its_place_in_the_release():
    assert INPUTS.folders() == {
        **{f"models/{model}": Path("/made", model) for model in MODELS},
        **{f"trees/{tree}": Path("/made/trees", tree) for tree in TREES},
        "index": Path("/made/index"),
    }


def test_stages_of_both_passes_of_every_system_are_needed():
    assert {f"train_{model}.update" for model in MODELS} <= set(STAGES)
    assert {model: f"train_{model}" for model in MODELS} == CANDIDATES
