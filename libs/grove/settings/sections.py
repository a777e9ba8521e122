"""Sections of the settings file: one frozen model each, every field with meaning and unit."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from grove.settings.models import DssmSettings, StarsSettings, TreeBridgeSettings
from grove.settings.section import AtLeastOne, Section
from grove.settings.shop import IngestSettings, SourceSettings
from grove.settings.trees import TreeSettings

_NOT_IN_PATHS = re.compile(r"""[][{}*?:%#\\|<>"^`\x00-\x1f\x7f]""")


class TextSettings(Section):
    """The encoder of item and query texts."""

    encoder: str = Field(
        "default",
        description="local transformers folder or hub id; `default` is the packaged MiniLM. After a"
        " change every text is embedded again; larger encoders are slower",
    )
    pooling: Literal["mean", "last_token", "item_token"] = Field(
        "mean",
        description="how token states become one vector; after a change every text is embedded"
        " again",
    )
    prompt: str = Field(
        "",
        description="prefix of every item and query text; after a change every text is embedded"
        " again, and its tokens add to the cost of each",
    )
    max_tokens: int = Field(
        64,
        ge=8,
        description="texts are truncated to this many tokens; time grows with it for long texts",
    )
    precision: Literal["fp32", "bf16", "int8"] = Field(
        "fp32",
        description="arithmetic of the encoder: float32, bfloat16 (fast on CPUs with AMX or AVX-512"
        " bf16), or float32 with int8 linear layers; after a change every text is embedded again",
    )
    batch_size: int = Field(
        32,
        ge=1,
        description="texts per forward pass; more need more memory and give the same vectors",
    )


class HistorySettings(Section):
    """Length of a user's history."""

    max_events: int = Field(
        50,
        ge=2,
        description="newest events kept per user; training and requests read all of them. A change"
        " forces a retrain day",
    )


class DistributedSettings(Section):
    """Workers of a distributed training."""

    processes: int = Field(
        2,
        ge=1,
        description="TorchDistributor workers; each needs a core or an accelerator, and memory for"
        " its own copy of the model and the item table",
    )
    local_mode: bool = Field(True, description="run the workers on the driver's machine")
    use_gpu: bool = Field(
        False, description="one accelerator per worker; a worker without one fails"
    )
    seed: int = Field(13, ge=0, description="seed of initial weights, data order and dropout")


class PlanSettings(Section):
    """Schedule of retrain days."""

    retrain_every_days: int = Field(
        7,
        ge=1,
        description="age of the weights, in days, at which training from scratch is forced; such a"
        " day takes longer than an update and may change codes",
    )


class EvaluationSettings(Section):
    """Evaluation on a day that the evaluated weights have not seen."""

    cutoffs: tuple[AtLeastOne, ...] = Field(
        (10, 50, 100), min_length=1, description="K of HR@K and NDCG@K"
    )
    gate_cutoff: int = Field(
        50, description="K of the HR@K that the gate compares; one of the cutoffs"
    )
    max_users: int = Field(
        20_000, ge=1, description="most users evaluated, drawn by a hash of user and day"
    )
    tolerance: float = Field(
        0.1, ge=0, description="share of the comparator's HR@K that a candidate may lose"
    )
    holdout_share: float = Field(
        0.05, gt=0, lt=1, description="share of users held out of the update for its gate"
    )
    holdout_min_users: int = Field(
        200, ge=1, description="with fewer held-out users the gate only warns"
    )

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
    ef_construction: int = Field(
        80, ge=8, description="HNSW: candidates per insertion while building"
    )
    ef_search: int = Field(128, ge=8, description="HNSW: candidates per query")
    min_recall: float = Field(
        0.95,
        ge=0,
        le=1,
        description="lowest accepted Recall@100 by score against exact search",
    )
    exact_up_to: int = Field(
        100_000,
        ge=0,
        description="distinct vectors up to which an exact index replaces an HNSW graph that misses"
        " min_recall, as among many nearly equal items; at 100,000 of width 128 a query takes about"
        " 10 ms; 0: never",
    )


class ReleaseSettings(Section):
    """Retention of releases."""

    keep: int = Field(5, ge=2, description="newest releases kept; the served one is always kept")


class RetentionSettings(Section):
    """Retention of files outside tables; tables follow their contracts."""

    artifact_days: int = Field(
        14, ge=1, description="days that unfinished work, and artifacts no release names, are kept"
    )
    landing_days: int = Field(
        60, ge=1, description="days that landed files and a simulator's true rankings are kept"
    )
    # Volume checks and gap detection look back four weeks.
    report_days: int = Field(
        365,
        ge=35,
        description="days that reports, verdicts, Data Docs and failure notices are kept",
    )
    vacuum_hours: int = Field(
        168, ge=0, description="hours after which unreferenced table files are deleted"
    )


class SparkSettings(Section):
    """Size of the Spark session; null leaves Spark's own default, as on a cluster."""

    master: str = Field("local[2]", description="Spark master, or `local[N]`")
    driver_memory_gib: int | None = Field(
        None, ge=1, description="memory of the driver; null: a quarter of the machine's"
    )
    shuffle_partitions: int | None = Field(4, ge=1, description="null: Spark's default")
    embed_partitions: int = Field(
        2,
        ge=1,
        description="parallel tasks that embed texts, encode users or search candidates; each loads"
        " its own model",
    )
    conf: dict[str, str] = Field(default_factory=dict, description="further Spark settings")


class NoticeSettings(Section):
    """Notices about failed and late runs."""

    webhook: str | None = Field(
        None, description="URL that receives failure notices as JSON; null: none"
    )
    deadline_hours: float = Field(
        6, gt=0, description="hours after which an unfinished run is reported"
    )


class Settings(Section):
    """The whole settings file of one environment."""

    home: str = Field(
        min_length=1,
        description="folder of everything that belongs to this source; on a cluster, one that every"
        " machine mounts",
    )
    source: SourceSettings = SourceSettings()
    ingest: IngestSettings = IngestSettings()
    texts: TextSettings = TextSettings()
    histories: HistorySettings = HistorySettings()
    distributed: DistributedSettings = DistributedSettings()
    dssm: DssmSettings = DssmSettings()
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
        special = sorted(set(_NOT_IN_PATHS.findall(home)))
        if special:
            raise ValueError(
                f"Spark and Delta read {' '.join(map(repr, special))} in a path as a pattern, an"
                " escape or a part of an address; give the path of a folder without them"
            )
        return home
