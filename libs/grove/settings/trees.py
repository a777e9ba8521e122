"""Settings of the trees: shape and rebuilds."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from grove.settings.section import AtLeastOne, Section


class TreeSettings(Section):
    """Shape of the trees and conditions of a rebuild."""

    level_sizes: Annotated[tuple[AtLeastOne, ...], Field(min_length=1)] | None = Field(
        None,
        description="codes per level; null: derived from the number of items. Wide levels are"
        " slower to build and to train, deep trees slower to search. Like the other shape settings"
        " it takes effect at the next rebuild, which `RETRAIN=1` forces",
    )
    leaf_capacity: int = Field(
        16,
        ge=2,
        description="τ, most items per leaf; the search scores every item of the leaves it reaches."
        " Smaller leaves need more codes per level",
    )
    headroom: float = Field(
        0.25,
        ge=0,
        lt=1,
        description="share of leaf slots left free for new items at a rebuild; a larger share makes"
        " rebuilds rarer and needs more leaves",
    )
    iterations: int = Field(
        15,
        ge=1,
        description="Lloyd iterations per split built from scratch, as on the first day; half run"
        " before balancing, and build time grows with them. A rebuild starts from the old tree",
    )
    seed: int = Field(17, ge=0, description="seed of the initial centroids of such splits")
    min_free_share: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="rebuild when the share of free leaf slots is below this; at most `headroom`,"
        " as derived trees would otherwise be due every day. A rebuild is a retrain day and changes"
        " codes",
    )
    max_distortion_growth: float = Field(
        0.2,
        gt=0,
        description="rebuild when the mean distortion has grown by more than this share; a lower"
        " value keeps leaves tight and changes codes more often",
    )

    @field_validator("min_free_share")
    @classmethod
    def _a_rebuild_helps(cls, share: float, info: ValidationInfo) -> float:
        headroom, derived = info.data.get("headroom"), info.data.get("level_sizes") is None
        if derived and headroom is not None and share > headroom:
            raise ValueError(
                f"must be at most headroom, {headroom:g}: a rebuild leaves no larger share free"
            )
        return share
