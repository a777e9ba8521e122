"""What a release takes out of the day's reports: which weights it publishes, which were judged."""

from __future__ import annotations

from datetime import date

from grove.release import CANDIDATES, MODELS, STAGES, release_facts

DAY = date(2026, 8, 20)


def reports_of(stages):
    reports = {name: {"notes": {}} for name in stages}
    for model in MODELS:
        for stage, version in ((f"train_{model}", "before"), (f"train_{model}.update", "after")):
            if stage in reports:
                notes = {"model_version": f"{model}-{version}", "learned_through": "2026-08-18"}
                reports[stage]["notes"] = notes
    reports["plan_day"]["notes"] = {"kind": "ordinary"}
    reports["build_trees"]["notes"] = {"llm": {"generation": "g"}}
    return reports


def test_judged_and_published_weights_are_told_apart():
    facts = release_facts(reports_of((*STAGES, *CANDIDATES.values())), DAY)
    assert facts["judged"] == {model: f"{model}-before" for model in MODELS}
    assert {model: one["model_version"] for model, one in facts["weights"].items()} == {
        model: f"{model}-after" for model in MODELS
    }
    assert facts["plan"] == {"kind": "ordinary"}
    assert facts["trees"]["llm"] == {"generation": "g"}


def test_what_weights_have_learnt_is_what_their_report_says():
    reports = reports_of(STAGES)
    del reports["train_dssm.update"]["notes"]["learned_through"]
    weights = release_facts(reports, DAY)["weights"]
    assert weights["stars"]["learned_through"] == "2026-08-18"
    assert weights["dssm"]["learned_through"] == "2026-08-20"


def test_without_the_candidates_reports_nothing_is_called_judged():
    assert release_facts(reports_of(STAGES), DAY)["judged"] == {}
