"""Which reports a release is made from, and what it takes out of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

from grove.datasets import SYSTEMS, TREES, stage_name

MODELS = tuple(system.name for system in SYSTEMS)
CANDIDATES = {model: stage_name(f"train_{model}") for model in MODELS}
"""Judged weights are those of the candidate pass, which have not seen the day."""
UPDATES = {model: stage_name(f"train_{model}", "update") for model in MODELS}
"""Published weights are those of the update pass, which have seen the day itself."""
STAGES = (
    "plan_day",
    "embed_texts",
    "build_trees",
    "evaluate_models",
    "infer_users",
    "retrieve_candidates",
    "build_index",
    *UPDATES.values(),
)
"""Stages that must have committed; what `release_folders` and `release_facts` read is of these."""

Reports: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Report of each of `STAGES`, and of the candidate passes, by its name."""


def release_folders(reports: Reports) -> dict[str, Path]:
    """Folder of every artifact that goes into the release, by its path there."""
    trees = Path(reports["build_trees"]["artifact"])
    return {
        **{f"models/{model}": Path(reports[stage]["artifact"]) for model, stage in UPDATES.items()},
        **{f"trees/{tree}": trees / tree for tree in TREES},
        "index": Path(reports["build_index"]["artifact"]),
    }


def release_facts(reports: Reports, day: date) -> dict[str, Any]:
    """The plan, the trees and the weights, as the manifest tells them.

    Args:
        reports: of `STAGES`, and of the `CANDIDATES`; without these no version is `judged`.
        day: of the release; what an update has learnt that does not say so itself.

    Returns:
        The fields `plan`, `trees`, `weights` and `judged` of an `Origin`.
    """
    weights = {model: _published(reports[stage]["notes"], day) for model, stage in UPDATES.items()}
    judged = {
        model: reports[stage]["notes"]["model_version"]
        for model, stage in CANDIDATES.items()
        if stage in reports
    }
    trees = {tree: reports["build_trees"]["notes"].get(tree) for tree in TREES}
    plan = dict(reports["plan_day"]["notes"])
    return {"plan": plan, "trees": trees, "weights": weights, "judged": judged}


def _published(notes: Mapping[str, Any], day: date) -> dict[str, str]:
    return {
        "model_version": notes["model_version"],
        "learned_through": notes.get("learned_through", day.isoformat()),
    }
