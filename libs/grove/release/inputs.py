"""Which reports a release is made from, and what it takes out of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

from grove.catalog import TREES, stage_name

MODELS = ("dssm", "treebridge", "stars")
UPDATES = {model: stage_name(f"train_{model}", "update") for model in MODELS}
"""Published weights are those of the update pass, which have seen the day itself."""
STAGES = (
    "plan_day",
    "embed_texts",
    "build_trees",
    "evaluate_models",
    "build_index",
    *UPDATES.values(),
)
"""Stages whose reports `release_folders` and `release_facts` read."""

Reports: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Report of each of `STAGES`, by its name."""


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
        reports: of `STAGES`.
        day: last day the published weights have learnt from.

    Returns:
        The fields `plan`, `trees` and `weights` of an `Origin`.
    """
    weights = {
        model: {
            "model_version": reports[stage]["notes"]["model_version"],
            "learned_through": day.isoformat(),
        }
        for model, stage in UPDATES.items()
    }
    trees = {tree: reports["build_trees"]["notes"].get(tree) for tree in TREES}
    return {"plan": dict(reports["plan_day"]["notes"]), "trees": trees, "weights": weights}
