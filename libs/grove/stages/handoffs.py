"""Hand-offs between the stages of a day: one frozen value and one reader for each.

A stage reports facts to later stages in its report. Here is the form of these facts; the keys of
the file itself are known to `grove.runtime.reports` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from grove.datasets import TREES, Layout, stage_name
from grove.errors import DataError
from grove.release.plan import RetrainPlan
from grove.runtime.reports import StageReport, read_report


@dataclass(frozen=True, kw_only=True)
class TreeReport:
    """State of one tree after `build_trees`; what an earlier version did not report is None."""

    generation: str
    """Fingerprint of the build; items that join a tree do not change it."""
    levels: tuple[int, ...]
    """Codes per level."""
    capacity: int
    """Slots per leaf."""
    built_on: str | None = None
    """Day of the build."""
    items: int | None = None
    leaves: int | None = None
    leaf_smallest: int | None = None
    leaf_largest: int | None = None
    free_share: float | None = None
    free_slots: int | None = None
    distortion: float | None = None
    """Mean squared distance of items to the centroid of their leaf."""
    distortion_at_build: float | None = None
    code_use: tuple[float, ...] | None = None
    """Share of the codes in use, by level."""
    collisions: int | None = None
    coherence: float | None = None
    coherence_by_chance: float | None = None
    churn: float | None = None
    appended: int | None = None
    unplaced: int | None = None
    rebuilt: bool | None = None

    @classmethod
    def from_notes(cls, notes: Mapping[str, Any]) -> TreeReport:
        """Read a tree's facts as `as_notes` wrote them; facts of another version are left out."""
        known = {field.name for field in fields(cls)}
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in notes.items()
            if name in known
        }
        return cls(**values)

    def as_notes(self) -> dict[str, Any]:
        """The facts as the report and a release's manifest hold them."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class TreesReport:
    """Trees of a day, as `build_trees` reports them."""

    folder: Path
    """Holds a folder per tree, and the frozen DSSM of the cf tree."""
    trees: Mapping[str, TreeReport]

    @property
    def generations(self) -> dict[str, str]:
        """Generation by tree."""
        return {name: tree.generation for name, tree in self.trees.items()}

    @property
    def levels(self) -> dict[str, list[int]]:
        """Codes per level, by tree."""
        return {name: list(tree.levels) for name, tree in self.trees.items()}

    @property
    def capacity(self) -> int:
        """Slots of the largest leaf of all trees."""
        return max(tree.capacity for tree in self.trees.values())


@dataclass(frozen=True, kw_only=True)
class WeightsReport:
    """Weights that one pass of a system trained or took over."""

    folder: Path
    """Model folder."""
    model_version: str
    learned_through: str | None = None
    """Last day the weights were trained on; none in a report of an earlier version."""
    curve: tuple[float, ...] = ()
    """Loss by epoch of this pass; empty where nothing was trained."""
    trained: bool = False

    def as_notes(self) -> dict[str, Any]:
        """The facts as the report holds them; the folder is the report's artifact."""
        return {
            "model_version": self.model_version,
            "learned_through": self.learned_through,
            "curve": list(self.curve),
            "trained": self.trained,
        }


def read_plan(layout: Layout, day: date) -> RetrainPlan:
    """Plan of a day, from the report of `plan_day`."""
    return RetrainPlan.from_notes(read_report(layout, day, "plan_day").notes)


def read_encoder(layout: Layout, day: date) -> str:
    """Fingerprint of a day's text encoder, from the report of `embed_texts`."""
    report = read_report(layout, day, "embed_texts")
    return str(_fact(report, report.versions, "encoder"))


def read_trees(layout: Layout, day: date) -> TreesReport:
    """Trees of a day, from the report of `build_trees`."""
    report = read_report(layout, day, "build_trees")
    trees = {tree: _tree(report, tree) for tree in TREES}
    return TreesReport(folder=_folder(report), trees=trees)


def read_weights(
    layout: Layout, day: date, system: str, training_pass: str = "candidate"
) -> WeightsReport:
    """Weights of one pass of a system, from the report of its job."""
    report = read_report(layout, day, stage_name(f"train_{system}", training_pass))
    return WeightsReport(
        folder=_folder(report),
        model_version=_fact(report, report.notes, "model_version"),
        learned_through=report.notes.get("learned_through"),
        curve=tuple(report.notes.get("curve", ())),
        trained=report.notes.get("trained", False),
    )


def read_index(layout: Layout, day: date) -> Path:
    """Folder of a day's index, from the report of `build_index`."""
    return _folder(read_report(layout, day, "build_index"))


def _tree(report: StageReport, tree: str) -> TreeReport:
    notes = _fact(report, report.notes, tree)
    for name in ("generation", "levels", "capacity"):
        _fact(report, notes, name)
    return TreeReport.from_notes(notes)


def _fact(report: StageReport, facts: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON
    """A fact that a later stage cannot do without."""
    if name not in facts:
        raise DataError(
            f"the report of {report.stage} lacks {name}",
            where=f"report of {report.stage}, {report.day}",
            expected=f"{name}, as every version of {report.stage} reports it",
            found=", ".join(sorted(facts)) or "nothing",
            next_step=f"run {report.stage} for {report.day} again",
        )
    return facts[name]


def _folder(report: StageReport) -> Path:
    if report.artifact is None:
        raise DataError(
            f"{report.stage} has no artifact for {report.day}",
            where=f"report of {report.stage}, {report.day}",
            expected="the folder of what it made",
            found="none",
            next_step=f"run {report.stage} for {report.day} again",
        )
    return report.artifact
