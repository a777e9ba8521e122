"""Names, versions and paths of everything a day reads or writes, and the systems it runs.

This is the one place that knows these names. It imports nothing but the standard library, so
DAG files may read it while Airflow parses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePosixPath

LAUNCHER_VARIABLE = "GROVE_LAUNCHER_PID"
"""Environment variable in which a launcher leaves its own process id for the job it starts."""
LANDING_MARKER = "_COMPLETE.json"
FEEDS = ("events", "catalogue", "users", "context")
TREES = ("llm", "cf")
CUTS = ("before", "through")
PASSES = ("candidate", "update")


@dataclass(frozen=True, kw_only=True)
class System:
    """One recommender system of the day: trained, evaluated, updated and published."""

    name: str
    """Section of the settings, folder in a release, task group, and `model` of `item_vectors`."""
    title: str
    """Tooltip of its task group."""
    makes_item_vectors: bool
    """Whether it writes `item_vectors`; otherwise its verdict bears its name."""
    before_trees: bool = False
    """Whether its candidate pass runs before the trees are built, because they need it."""
    shape: tuple[str, ...] = ()
    """Settings of its section that fix the form of its weights: a change is a retrain day."""
    switches: Mapping[str, str] = field(default_factory=dict)
    """Label → setting, of which only whether it is above 0 matters: a change is a retrain day."""

    def __post_init__(self) -> None:
        """Require a shape: the day after a new system is added must train it from scratch."""
        if not self.shape and not self.switches:
            raise ValueError(f"system {self.name}: give it a shape, so that adding it retrains")

    @property
    def job(self) -> str:
        """Name of the job that runs its passes."""
        return f"train_{self.name}"

    @property
    def output(self) -> str:
        """Name in the verdict that its gate reads."""
        return ITEM_VECTORS.name if self.makes_item_vectors else self.name


SYSTEMS = (
    System(
        name="dssm",
        title="The two-tower model whose items the cf tree orders",
        makes_item_vectors=True,
        before_trees=True,
        shape=("width",),
    ),
    System(
        name="treebridge",
        title="The generator over both trees",
        makes_item_vectors=False,
        shape=("leaf_step", "width", "layers", "heads"),
        switches={"learns items": "item_weight"},
    ),
    System(
        name="stars",
        title="The next-item transformer",
        makes_item_vectors=True,
        shape=("width", "layers", "heads"),
    ),
)
"""The systems of a day, in the order in which reports and releases name them."""
VECTOR_SYSTEMS = tuple(system for system in SYSTEMS if system.makes_item_vectors)
"""Systems that rank items by inner product; `grove.stages.vector_models` has their functions."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One table: its name, version, how it is cut into partitions, and who writes it."""

    name: str
    version: int = 1
    partition_by: tuple[str, ...]
    written_by: tuple[str, ...]

    @property
    def folder(self) -> str:
        """Folder of the table below `tables/`, for example `interactions_v1`."""
        return f"{self.name}_v{self.version}"

    @property
    def contract_file(self) -> str:
        """File of the contract below `schemas/`, for example `interactions.v1.yaml`."""
        return f"{self.name}.v{self.version}.yaml"


INTERACTIONS = Dataset(name="interactions", partition_by=("day",), written_by=("ingest_landing",))
ITEMS = Dataset(name="items", partition_by=("day",), written_by=("ingest_landing",))
USERS = Dataset(name="users", partition_by=("day",), written_by=("ingest_landing",))
CONTEXT = Dataset(name="context", partition_by=("day",), written_by=("ingest_landing",))
QUERIES = Dataset(name="queries", partition_by=("day",), written_by=("ingest_landing",))
QUARANTINE = Dataset(name="quarantine", partition_by=("day",), written_by=("ingest_landing",))
TEXT_EMBEDDINGS = Dataset(
    name="text_embeddings", partition_by=("encoder",), written_by=("embed_texts",)
)
HISTORIES = Dataset(name="histories", partition_by=("day", "cut"), written_by=("build_histories",))
ITEM_VECTORS = Dataset(
    name="item_vectors",
    partition_by=("day", "model", "training_pass"),
    written_by=tuple(system.job for system in VECTOR_SYSTEMS),
)
CODES = Dataset(name="codes", partition_by=("day", "tree"), written_by=("build_trees",))
USER_EMBEDDINGS = Dataset(
    name="user_embeddings", partition_by=("day",), written_by=("infer_users",)
)
USER_CANDIDATES = Dataset(
    name="user_candidates", partition_by=("day",), written_by=("retrieve_candidates",)
)
METRICS = Dataset(name="metrics", partition_by=("day", "stage"), written_by=("every stage",))
QUALITY_RESULTS = Dataset(
    name="quality_results", partition_by=("day", "stage"), written_by=("every stage",)
)
STAGE_REPORTS = Dataset(
    name="stage_reports", partition_by=("day", "stage"), written_by=("every stage",)
)

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        INTERACTIONS,
        ITEMS,
        USERS,
        CONTEXT,
        QUERIES,
        QUARANTINE,
        TEXT_EMBEDDINGS,
        HISTORIES,
        ITEM_VECTORS,
        CODES,
        USER_EMBEDDINGS,
        USER_CANDIDATES,
        METRICS,
        QUALITY_RESULTS,
        STAGE_REPORTS,
    )
}

INGESTED = (INTERACTIONS, ITEMS, USERS, CONTEXT, QUERIES, QUARANTINE)
"""The tables `ingest_landing` writes, in the order in which the gates show them."""

FEED_DATASETS = {
    "events": INTERACTIONS,
    "catalogue": ITEMS,
    "users": USERS,
    "context": CONTEXT,
}
"""The table of each feed; `queries` is counted from events, without a feed of its own."""


@dataclass(frozen=True)
class Layout:
    """Every path below the home folder of one source, as plain strings.

    Strings, not `Path`: Spark and Delta take them as they are, and a home in object storage,
    a later milestone, will be a URI.

    Example:
        >>> Layout("/data/shop").table(INTERACTIONS)
        '/data/shop/tables/interactions_v1'
    """

    home: str

    def _join(self, *parts: str) -> str:
        return "/".join((self.home.rstrip("/"), *parts))

    def table(self, dataset: Dataset) -> str:
        """Folder of a Delta table."""
        return self._join("tables", dataset.folder)

    def landing_feed(self, feed: str, day: date) -> str:
        """Folder of one feed's files of one day."""
        return self._join("landing", feed, f"day={day:%Y-%m-%d}")

    def landing_marker(self, day: date) -> str:
        """Marker file of a day that has landed completely; it is written last."""
        return self._join("landing", "markers", f"day={day:%Y-%m-%d}", LANDING_MARKER)

    def truth(self, day: date) -> str:
        """Parquet file of a simulator's oracle ranking; no job but evaluation reads it."""
        return self._join("truth", f"day={day:%Y-%m-%d}", "oracle.parquet")

    def report(self, day: date, stage: str) -> str:
        """JSON report of the newest run of a stage for a day."""
        return self._join("reports", f"{day:%Y-%m-%d}", f"{stage}.json")

    def verdict(self, day: date, stage: str, dataset: str) -> str:
        """JSON verdict of a stage's checks on one dataset of a day."""
        return self._join("verdicts", f"{day:%Y-%m-%d}", stage, f"{dataset}.json")

    def attempts(self, day: date, stage: str) -> str:
        """Folder whose numbered subfolders are the immutable outputs of a stage."""
        return self._join("artifacts", f"{day:%Y-%m-%d}", stage)

    def releases(self) -> str:
        """Folder of all releases."""
        return self._join("releases")

    def current_pointer(self) -> str:
        """File that names the release being served."""
        return self._join("releases", "current.json")

    def data_docs(self, day: date) -> str:
        """Folder of the Great Expectations pages of one day."""
        return self._join("data_docs", f"{day:%Y-%m-%d}")

    def staging(self, stage: str, day: date) -> str:
        """Folder for what a stage has not committed yet."""
        return self._join("staging", stage, f"{day:%Y-%m-%d}")

    def locks(self) -> str:
        """Folder of lock files."""
        return self._join("locks")

    def notices(self) -> str:
        """Folder of failure notices."""
        return self._join("notices")


def stage_name(job: str, training_pass: str = "candidate") -> str:
    """Name under which a job reports: the job, with `.update` for the second pass of a day.

    Example:
        >>> stage_name("train_stars", "update")
        'train_stars.update'
    """
    return job if training_pass == "candidate" else f"{job}.{training_pass}"


def gate_name(dataset: str) -> str:
    """Task id of a dataset's gate.

    Example:
        >>> gate_name("interactions")
        'check_interactions'
    """
    return f"check_{dataset}"


def release_day(release_id: str) -> date:
    """Day of a release; ids are day and attempt, such as `2026-11-19.2`.

    Example:
        >>> release_day("2026-11-19.2")
        datetime.date(2026, 11, 19)
    """
    return date.fromisoformat(PurePosixPath(release_id).name.rpartition(".")[0])
