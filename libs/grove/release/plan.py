"""The plan of a day, decided before any training: ordinary or retrain, and the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any, Literal

from grove.errors import DataError
from grove.release.manifest import Manifest

WEIGHTS_FORMAT = "3"
"""Part of a day's shape. Raise it when weights that earlier code saved no longer fit the networks:
the next day then trains from scratch and is not compared with a release in the old format."""


@dataclass(frozen=True, kw_only=True)
class TreeState:
    """Free slots and distortion of a tree in a release."""

    free_share: float
    """Share of leaf slots that are free, 0 to 1."""
    distortion: float
    """Current mean squared distance between items and their leaf's centroid."""
    distortion_at_build: float
    """The same distance when the tree was built."""
    free_slots: int | None = None
    """Items it can still take; `None` for releases that do not record it."""

    @property
    def distortion_growth(self) -> float:
        """Growth since the build, as a share; 0 if the distortion at build was 0."""
        if self.distortion_at_build <= 0:
            return 0.0
        return self.distortion / self.distortion_at_build - 1


@dataclass(frozen=True, kw_only=True)
class EarlierRelease:
    """Facts of the newest release before the day that a plan depends on."""

    release_id: str
    trained_on: date
    """Day on which its weights were last trained from scratch, and its trees built."""
    learned_through: date
    """Last day its weights were trained on."""
    shape: Mapping[str, str]
    """Name → value of the encoder, the widths and everything else that fixes the weights' form."""
    trees: Mapping[str, TreeState] = field(default_factory=dict)
    items: int = 0
    """Items that have a slot in every tree; 0 in releases that do not record it."""


@dataclass(frozen=True, kw_only=True)
class PlanLimits:
    """Limits beyond which a retrain is due."""

    retrain_every_days: int
    min_free_share: float
    max_distortion_growth: float


@dataclass(frozen=True, kw_only=True)
class RetrainPlan:
    """The plan of a day, as `plan_day` reports it and a release's manifest stores it."""

    kind: Literal["ordinary", "retrain"]
    reason: str
    previous_release: str | None
    """Newest earlier release; an ordinary day reuses its weights and trees."""
    comparator: str | None
    """Release the candidate must not be worse than; none before the first release."""
    learned_through: date | None
    """Last day the starting weights were trained on; `None` when training from scratch."""
    rebuild_trees: bool
    trained_on: date
    """Day on which the day's weights were trained from scratch; the next plan reads it."""
    shape: Mapping[str, str]
    """Settings and versions that the day's weights depend on; the next plan compares them."""

    @classmethod
    def from_notes(cls, notes: Mapping[str, Any]) -> RetrainPlan:
        """Parse a plan from what `as_notes` returned.

        Raises:
            DataError: a field of the plan is missing or invalid.
        """
        try:
            learned = notes["learned_through"]
            return cls(
                kind=notes["kind"],
                reason=notes["reason"],
                previous_release=notes["previous_release"],
                comparator=notes["comparator"],
                learned_through=date.fromisoformat(learned) if learned else None,
                rebuild_trees=notes["rebuild_trees"],
                trained_on=date.fromisoformat(notes["trained_on"]),
                shape=notes["shape"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                "a plan is incomplete",
                where="report of plan_day",
                expected=f"{', '.join(one.name for one in fields(cls))}",
                found=f"{type(error).__name__}: {error}",
                next_step="run plan_day for the day again",
            ) from error

    def as_notes(self) -> dict[str, Any]:
        """The plan as JSON values, for the report and the manifest."""
        learned = self.learned_through and str(self.learned_through)
        return {**asdict(self), "learned_through": learned, "trained_on": str(self.trained_on)}


def decide_plan(
    day: date,
    earlier: EarlierRelease | None,
    *,
    shape: Mapping[str, str],
    limits: PlanLimits,
    asked: bool = False,
    new_items: int = 0,
) -> RetrainPlan:
    """Choose between an ordinary day and a retrain day.

    An ordinary day starts from the weights of the newest earlier release and evaluates them
    as they are. A retrain day trains from scratch and rebuilds the trees, both together: a
    generator can search only the tree generation it was trained on.

    Args:
        day: the day to plan.
        earlier: newest release of an earlier day, served or not; `None` before the first release.
        shape: the shape that the current settings require, as in `EarlierRelease.shape`.
        limits: limits beyond which a retrain is due.
        asked: whether a retrain was requested.
        new_items: items of the day beyond the `items` of the earlier release; a tree that cannot
            take them is rebuilt.

    Returns:
        The plan, with the first reason that applies.

    Example:
        >>> limits = PlanLimits(
        ...     retrain_every_days=7, min_free_share=0.05, max_distortion_growth=0.2
        ... )
        >>> decide_plan(date(2026, 8, 20), None, shape={}, limits=limits).reason
        'no earlier release to start from'
    """
    due = _reason_to_retrain(day, earlier, shape, limits)
    if due is None and earlier is not None:
        due = _full_tree(earlier.trees, new_items)
    reason = "asked for" if asked else due
    release = earlier.release_id if earlier else None
    if earlier is None or reason is not None:
        return RetrainPlan(
            kind="retrain",
            reason=str(reason),
            previous_release=release,
            comparator=release,
            learned_through=None,
            rebuild_trees=True,
            trained_on=day,
            shape=shape,
        )
    return RetrainPlan(
        kind="ordinary",
        reason=f"weights of {release} are {_age(day, earlier)} days old",
        previous_release=release,
        comparator=release,
        learned_through=earlier.learned_through,
        rebuild_trees=False,
        trained_on=earlier.trained_on,
        shape=shape,
    )


def _reason_to_retrain(
    day: date, earlier: EarlierRelease | None, shape: Mapping[str, str], limits: PlanLimits
) -> str | None:
    if earlier is None:
        return "no earlier release to start from"
    changed = sorted(
        name for name in {*shape, *earlier.shape} if shape.get(name) != earlier.shape.get(name)
    )
    if changed:
        name = changed[0]
        return (
            f"{name} changed from {earlier.shape.get(name, 'nothing')} "
            f"to {shape.get(name, 'nothing')}"
        )
    if _age(day, earlier) >= limits.retrain_every_days:
        return f"weights of {earlier.release_id} are {_age(day, earlier)} days old"
    return _worn_tree(earlier.trees, limits)


def earlier_release(manifest: Manifest) -> EarlierRelease:
    """Facts of a release that a plan depends on, from its manifest.

    Raises:
        DataError: the manifest does not describe the release's weights.
    """
    try:
        return EarlierRelease(
            release_id=manifest.release_id,
            trained_on=date.fromisoformat(manifest.plan["trained_on"]),
            learned_through=min(
                date.fromisoformat(weights["learned_through"])
                for weights in manifest.weights.values()
            ),
            shape=manifest.plan["shape"],
            trees={name: _tree_state(tree) for name, tree in manifest.trees.items()},
            items=min((tree.get("items", 0) for tree in manifest.trees.values()), default=0),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            "a manifest does not describe its release's weights",
            where=manifest.release_id,
            expected="plan, weights and trees in its manifest",
            found=f"{type(error).__name__}: {error}",
            next_step="run the day with `make trigger DAY=<day> RETRAIN=1`",
        ) from error


def shape_of(manifest: Manifest) -> Mapping[str, str]:
    """Settings and versions that a release's weights depend on; empty where none are recorded."""
    shape: Mapping[str, str] = manifest.plan.get("shape", {})
    return shape


def _tree_state(tree: Mapping[str, Any]) -> TreeState:
    return TreeState(
        free_share=tree["free_share"],
        distortion=tree["distortion"],
        distortion_at_build=tree["distortion_at_build"],
        free_slots=tree.get("free_slots"),
    )


def _age(day: date, earlier: EarlierRelease) -> int:
    return (day - earlier.trained_on).days


def _worn_tree(trees: Mapping[str, TreeState], limits: PlanLimits) -> str | None:
    for name, tree in sorted(trees.items()):
        if tree.free_share < limits.min_free_share:
            return f"only {tree.free_share:.1%} of the {name} tree's slots are free"
        if tree.distortion_growth > limits.max_distortion_growth:
            return f"distortion of the {name} tree grew by {tree.distortion_growth:.1%}"
    return None


def _full_tree(trees: Mapping[str, TreeState], new_items: int) -> str | None:
    for name, tree in sorted(trees.items()):
        if tree.free_slots is not None and tree.free_slots < new_items:
            return f"the {name} tree has {tree.free_slots} free slots for {new_items} new items"
    return None
