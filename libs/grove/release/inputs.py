"""Inputs of a release: the reports it is made from, and what it takes from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from grove.datasets import SYSTEMS, TREES, stage_name
from grove.release.plan import RetrainPlan

MODELS = tuple(system.name for system in SYSTEMS)
CANDIDATES = {system.name: stage_name(system.job) for system in SYSTEMS}
"""Evaluated weights are those of the candidate pass, which were not trained on the day."""
UPDATES = {system.name: stage_name(system.job, "update") for system in SYSTEMS}
"""Published weights are those of the update pass, which were trained on the day."""
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
"""Stages that must have committed before a release is made."""


@dataclass(frozen=True, kw_only=True)
class PublishedWeights:
    """Weights of one system that go into a release."""

    folder: Path
    model_version: str
    learned_through: str | None
    """Last day they were trained on; none where their report does not record it."""


@dataclass(frozen=True, kw_only=True)
class ReleaseInputs:
    """Inputs of a release, from the day's reports."""

    plan: RetrainPlan
    trees_folder: Path
    trees: Mapping[str, Mapping[str, Any]]
    """Facts of every tree, as JSON can hold them."""
    index_folder: Path
    weights: Mapping[str, PublishedWeights]
    """Weights of the update, by system."""
    evaluated: Mapping[str, str]
    """Version of the weights of the candidate pass, by system."""

    def folders(self) -> dict[str, Path]:
        """Folder of every artifact that goes into the release, by its path there."""
        return {
            **{f"models/{name}": weights.folder for name, weights in self.weights.items()},
            **{f"trees/{tree}": self.trees_folder / tree for tree in TREES},
            "index": self.index_folder,
        }

    def facts(self, day: date) -> dict[str, Any]:
        """The fields `plan`, `trees`, `weights` and `judged` of an `Origin`.

        Args:
            day: of the release; an update whose report does not record the last day of its
                training was trained on this day.
        """
        weights = {
            name: {
                "model_version": one.model_version,
                "learned_through": one.learned_through or day.isoformat(),
            }
            for name, one in self.weights.items()
        }
        return {
            "plan": self.plan.as_notes(),
            "trees": dict(self.trees),
            "weights": weights,
            "judged": dict(self.evaluated),
        }
