"""Settings of the shop and of the ingest of its days."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from grove.settings.section import Day, Section

EventType = Literal["impression", "click", "cart", "order", "cancel"]


class SourceSettings(Section):
    """The shop whose days are processed."""

    name: str = Field(
        "marketplace",
        min_length=1,
        description="name of the module under grove.sources that lands the days, with hyphens; any"
        " other name for a shop that writes its landing files itself",
    )
    data: str | None = Field(
        None, description="file or folder of an outside data set; none for a simulator"
    )
    feeds: tuple[Literal["events", "catalogue", "users", "context"], ...] = Field(
        ("events", "catalogue", "users", "context"),
        description="feeds the source declares; a declared feed that is missing is an error",
    )
    size: Literal["tiny", "small", "medium", "large"] = Field(
        "small", description="size of the simulated marketplace"
    )
    seed: int = Field(7, ge=0, description="seed of the simulated marketplace")
    first_day: Day | None = Field(
        None, description="first day of the shop; required by a simulator, written by `make run`"
    )
    landing_wait_hours: float = Field(
        6, gt=0, description="hours that a run waits for its day's files before it fails"
    )
    has_oracle: bool = Field(True, description="the source writes the true ranking of each day")
    positive_events: tuple[EventType, ...] = Field(
        ("click", "cart", "order"),
        min_length=1,
        description="event types that count as positive feedback",
    )
    keep_seen_items: bool = Field(
        False,
        description="recommend items with which the user has had a positive event (repurchases)",
    )
    one_variant_per_product: bool = Field(
        False,
        description="lists hold only the best item of each `product_id` of the catalogue, from the"
        " next release on; items without one are products of their own. Where products have many"
        " variants, the search of the trees takes longer",
    )
    currency: str = Field("EUR", min_length=3, max_length=3, description="unit of every price")

    @field_validator("feeds")
    @classmethod
    def _events_are_declared(cls, feeds: tuple[str, ...]) -> tuple[str, ...]:
        if "events" not in feeds:
            raise ValueError("every source declares events")
        return feeds


class IngestSettings(Section):
    """Limits on what is accepted from the landing zone."""

    lateness_days: int = Field(
        3,
        ge=0,
        description="days; an event that lands later than this after it happened is rejected",
    )
    fail_on_gap: bool = Field(
        False, description="a missing earlier day fails the run instead of raising a warning"
    )
    max_quarantined_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="share of a feed's rows in quarantine above which the day is rejected; applies"
        " to each feed",
    )
    warn_quarantined_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="share of a feed's rows in quarantine above which its gate warns; at most"
        " max_quarantined_share",
    )
    max_unknown_items_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="share of a day's events on items that the catalogue does not have above which"
        " the day is rejected; 1 never rejects. Without a catalogue feed there is no such check",
    )
    warn_unknown_items_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="share of a day's events on unknown items above which its gate warns; at most"
        " max_unknown_items_share",
    )
    warn_share_change: float = Field(
        0.2,
        ge=0,
        le=1,
        description="change of the share of rows with a value in a column, against the mean of the"
        " last 7 days, above which a gate warns",
    )
    warn_new_values_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="share of rows whose region, device or event type no day of the last 7 had,"
        " above which a gate warns",
    )
    max_price: float = Field(
        1_000_000, gt=0, description="highest plausible price, in `source.currency`"
    )
    volume_ratio: float = Field(
        3.0,
        gt=1,
        description="warn when the rows of a day differ from those of the same weekday by more than"
        " this factor",
    )

    @field_validator("warn_quarantined_share", "warn_unknown_items_share")
    @classmethod
    def _warns_before_it_rejects(cls, share: float, info: ValidationInfo) -> float:
        limit = str(info.field_name).replace("warn_", "max_")
        most = info.data.get(limit)
        if most is not None and share > most:
            raise ValueError(f"must be at most {limit}, {most:g}")
        return share
