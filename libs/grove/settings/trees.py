"""The section of the trees: their shape, and when they are built anew."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from grove.settings.section import AtLeastOne, Section


class TreeSettings(Section):
    """Shape and age of the trees."""

    level_sizes: Annotated[tuple[AtLeastOne, ...], Field(min_length=1)] | None = Field(
        None,
        description="codes per level; none: derived from the number of items. Wider levels take"
        " longer to build and to learn, deeper trees to search. Like the other numbers of a tree's"
        " shape it counts from the next rebuild on, such as `RETRAIN=1` brings",
    )
    leaf_capacity: int = Field(
        16,
        ge=2,
        description="τ, most items per leaf; the search scores every item of the leaves it reaches,"
        " and smaller leaves need more codes per level",
    )
    headroom: float = Field(
        0.25,
        ge=0,
        lt=1,
        description="share of leaf slots left free for new items at a rebuild; more of it puts"
        " rebuilds off and takes more leaves",
    )
    iterations: int = Field(
        15,
        ge=1,
        description="Lloyd rounds per split that begins from nothing, as on the first day; half are"
        " run before balancing, and the time grows with them. A rebuild goes on from the old tree",
    )
    seed: int = Field(17, ge=0, description="seed of the initial centroids of such splits")
    min_free_share: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="rebuild when fewer leaf slots than this share are free; at most the headroom,"
        " or derived trees would be due every day. A rebuild is a retrain day and moves codes",
    )
    max_distortion_growth: float = Field(
        0.2,
        gt=0,
        description="rebuild when mean distortion grew by more than this share; less of it keeps"
        " leaves tight and moves codes more often",
    )

    @field_validator("min_free_share")
    @classmethod
    def _a_rebuild_helps(cls, share: float, info: ValidationInfo) -> float:
        headroom, derived = info.data.get("headroom"), info.data.get("level_sizes") is None
        if derived and headroom is not None and share > headroom:
            raise ValueError(
                f"must be at most headroom, {headroom:g}: a rebuild leaves hardly more"
            )
        return share
