"""One frozen model per section of the settings file; every field has its meaning and unit."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from grove.settings.models import StarsSettings, TrainingSettings, TreeBridgeSettings
from grove.settings.section import AtLeastOne, Section
from grove.settings.trees import TreeSettings

EventType = Literal["impression", "click", "cart", "order", "cancel"]


class SourceSettings(Section):
    """Which shop the days come from."""

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
        description="feeds this source declares; a declared feed that is missing is an error",
    )
    size: Literal["tiny", "small", "medium", "large"] = Field(
        "small", description="size of the simulated marketplace"
    )
    seed: int = Field(7, ge=0, description="seed of the simulated marketplace")
    first_day: date | None = Field(
        None, description="first day of the source; a simulated shop needs it, `make run` writes it"
    )
    landing_wait_hours: float = Field(
        6, gt=0, description="how long a run waits for its day's files before it fails"
    )
    has_oracle: bool = Field(True, description="the source writes a true ranking beside each day")
    positive_events: tuple[EventType, ...] = Field(
        ("click", "cart", "order"),
        min_length=1,
        description="events that count as a wish for the item",
    )
    keep_seen_items: bool = Field(
        False,
        description="recommend items the user already had a positive event with (repurchases)",
    )
    currency: str = Field("EUR", min_length=3, max_length=3, description="unit of every price")

    @field_validator("feeds")
    @classmethod
    def _events_are_declared(cls, feeds: tuple[str, ...]) -> tuple[str, ...]:
        if "events" not in feeds:
            raise ValueError("every source declares events")
        return feeds


class IngestSettings(Section):
    """What is accepted from the landing zone."""

    lateness_days: int = Field(
        3, ge=0, description="an event older than this many days before its landing day is refused"
    )
    fail_on_gap: bool = Field(False, description="a missing earlier day fails instead of warning")
    max_quarantined_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="above this share of a feed's rows in quarantine, any feed's,"
        " the day is refused",
    )
    warn_quarantined_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="above this share of a feed's rows in quarantine its gate"
        " warns; at most max_quarantined_share",
    )
    max_price: float = Field(
        1_000_000, gt=0, description="a price above this is absurd, in currency"
    )
    volume_ratio: float = Field(
        3.0,
        gt=1,
        description="warn when rows differ from the same weekday by more than this factor",
    )

    @field_validator("warn_quarantined_share")
    @classmethod
    def _warns_before_it_refuses(cls, share: float, info: ValidationInfo) -> float:
        most = info.data.get("max_quarantined_share")
        if most is not None and share > most:
            raise ValueError(f"must be at most max_quarantined_share, {most:g}")
        return share


class TextSettings(Section):
    """How item and query texts become vectors."""

    encoder: str = Field(
        "default",
        description="local transformers folder or hub id; `default` is the packaged MiniLM. Another"
        " one embeds every text again, and a larger one takes longer for each",
    )
    pooling: Literal["mean", "last_token", "item_token"] = Field(
        "mean", description="how token states become one vector; another embeds every text again"
    )
    prompt: str = Field(
        "",
        description="text put before every text, of items and of queries; another one embeds every"
        " text again, and its tokens are computed for each",
    )
    max_tokens: int = Field(
        64,
        ge=8,
        description="texts are cut after this many tokens; time grows with it where texts are long",
    )
    precision: Literal["fp32", "bf16", "int8"] = Field(
        "fp32",
        description="arithmetic of the encoder: float32, bfloat16 (fast where the processor has"
        " it), or float32 with linear layers in int8; another one embeds every text again",
    )
    batch_size: int = Field(
        32,
        ge=1,
        description="texts per forward pass; more take more memory, and vectors stay as they are",
    )


class HistorySettings(Section):
    """How long a user's history is."""

    max_events: int = Field(
        50,
        ge=2,
        description="newest events kept per user; training and requests read all of them, and a"
        " change is a retrain day",
    )


class DistributedSettings(Section):
    """Where training runs."""

    processes: int = Field(
        2,
        ge=1,
        description="TorchDistributor ranks; each takes a core or an accelerator, and memory for a"
        " model and the item table of its own",
    )
    local_mode: bool = Field(True, description="ranks on the driver's machine")
    use_gpu: bool = Field(False, description="one accelerator per rank; a rank without one fails")
    seed: int = Field(13, ge=0, description="seed of initial weights, order and dropout")


class PlanSettings(Section):
    """When a day is a retrain day."""

    retrain_every_days: int = Field(
        7,
        ge=1,
        description="age of weights that forces a retrain, which takes longer than an ordinary day"
        " and may move codes",
    )


class EvaluationSettings(Section):
    """What is measured on a day nobody has seen."""

    cutoffs: tuple[AtLeastOne, ...] = Field(
        (10, 50, 100), min_length=1, description="K of HR@K and NDCG@K"
    )
    gate_cutoff: int = Field(50, description="K of the HR@K the gate compares; one of the cutoffs")
    max_users: int = Field(20_000, ge=1, description="users judged, drawn by hash of user and day")
    tolerance: float = Field(
        0.1, ge=0, description="a candidate may lose this share of the comparator's HR@K"
    )
    holdout_share: float = Field(
        0.05, gt=0, lt=1, description="share of users kept out of the update for its gate"
    )
    holdout_min_users: int = Field(200, ge=1, description="fewer users than this only warn")

    @field_validator("gate_cutoff")
    @classmethod
    def _gate_is_measured(cls, cutoff: int, info: ValidationInfo) -> int:
        cutoffs = info.data.get("cutoffs")
        if cutoffs is not None and cutoff not in cutoffs:
            raise ValueError(f"must be one of the cutoffs, {', '.join(map(str, cutoffs))}")
        return cutoff


class IndexSettings(Section):
    """The ANN index."""

    factory: str = Field("IDMap2,HNSW32", description="faiss factory string, inner product")
    ef_construction: int = Field(80, ge=8, description="HNSW: candidates while building")
    ef_search: int = Field(128, ge=8, description="HNSW: candidates while searching")
    min_recall: float = Field(0.95, ge=0, le=1, description="least recall@100 against exact search")


class ReleaseSettings(Section):
    """What is published and how long it stays."""

    keep: int = Field(5, ge=2, description="releases kept, the serving one always")


class RetentionSettings(Section):
    """How long files outside tables stay; tables follow their contracts."""

    artifact_days: int = Field(
        14, ge=1, description="days artifacts not named by a release stay, and unfinished work"
    )
    landing_days: int = Field(
        60, ge=1, description="days landed files stay, and a simulator's truth beside them"
    )
    # Four weeks are looked back on: for the usual volume of a weekday, and for gaps.
    report_days: int = Field(
        365, ge=35, description="days reports, verdicts, Data Docs and failure notices stay"
    )
    vacuum_hours: int = Field(168, ge=0, description="age of unreferenced table files to delete")


class SparkSettings(Section):
    """Spark's size; empty values leave Spark's own defaults, as a cluster wants."""

    master: str = Field("local[2]", description="Spark master, or `local[N]`")
    driver_memory_gib: int | None = Field(
        None, ge=1, description="none: a quarter of the machine's"
    )
    shuffle_partitions: int | None = Field(4, ge=1, description="none: Spark's default")
    embed_partitions: int = Field(
        2,
        ge=1,
        description="tasks that embed texts or users or search candidates; each holds a model",
    )
    conf: dict[str, str] = Field(default_factory=dict, description="further Spark settings")


class NoticeSettings(Section):
    """Who hears of a failed or late run."""

    webhook: str | None = Field(None, description="address that receives failure notices as JSON")
    deadline_hours: float = Field(6, gt=0, description="a run later than this is reported")


class Settings(Section):
    """The whole settings file of one environment."""

    home: str = Field(
        min_length=1,
        description="folder below which everything of this source lives; on a cluster one that"
        " every machine mounts",
    )
    source: SourceSettings = SourceSettings()
    ingest: IngestSettings = IngestSettings()
    texts: TextSettings = TextSettings()
    histories: HistorySettings = HistorySettings()
    distributed: DistributedSettings = DistributedSettings()
    dssm: TrainingSettings = TrainingSettings()
    trees: TreeSettings = TreeSettings()
    treebridge: TreeBridgeSettings = TreeBridgeSettings()
    stars: StarsSettings = StarsSettings()
    plan: PlanSettings = PlanSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    index: IndexSettings = IndexSettings()
    release: ReleaseSettings = ReleaseSettings()
    retention: RetentionSettings = RetentionSettings()
    spark: SparkSettings = SparkSettings()
    notices: NoticeSettings = NoticeSettings()

    @field_validator("home")
    @classmethod
    def _home_is_a_folder(cls, home: str) -> str:
        if re.match(r"[\w+.-]+:/", home):
            raise ValueError(
                "object storage is not supported yet: locks, reports and releases need a file"
                " system; give the path of a folder that every machine mounts"
            )
        return home
