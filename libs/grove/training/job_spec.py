"""Specification of one training: a frozen record that travels to the workers as plain JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from grove.training.holdout import held_out

ITEM_TABLE_FILE = "item_table.parquet"
QUERY_VECTORS_FILE = "query_vectors.parquet"


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """Inputs, outputs and hyper-parameters of one training; every field is JSON-able.

    Example:
        >>> spec = TrainingSpec(files=["a"], inputs="in", output="out", through="2026-11-19")
        >>> TrainingSpec(**spec.as_json()) == spec
        True
    """

    files: list[str]
    """Parquet files of one cut of `histories`."""
    inputs: str
    """Folder with item_table.parquet, query_vectors.parquet (if queries are read) and the
    vocabulary to train with (for a warm start: the earlier one, grown)."""
    output: str
    """Folder of the trained model; the first worker writes it."""
    through: str
    """Newest landing day in the histories, YYYY-MM-DD; the weights are trained up to it."""
    checkpoint: str | None = None
    """Folder of the state of an unfinished training; none: not resumable."""
    warm_start: str | None = None
    """Model folder to start from; none: from random weights."""
    learned_through: str | None = None
    """Landing day that the warm start has been trained up to: only later events are targets; none:
    all are."""
    holdout_share: float = 0.0
    """Share of the users held out from this pass, drawn for the day `through`."""
    learn_repeats: bool = True
    """Whether an item the user has interacted with is a target again; false where it is not
    recommended again."""
    max_events: int = 50
    """Newest events per user."""
    seed: int = 0
    """Seed of everything random."""
    code_version: str = ""
    """Version of the code that trains; a training begun by other code is not resumed."""
    use_gpu: bool = False
    """Train on one accelerator per worker."""
    options: dict[str, Any] = field(default_factory=dict)
    """Hyper-parameters: width, epochs, batch_size, learning_rate, …; absent ones have defaults."""

    def as_json(self) -> dict[str, Any]:
        """As a plain dict."""
        return asdict(self)

    @property
    def input_folder(self) -> Path:
        """`inputs` as a path."""
        return Path(self.inputs)

    @property
    def output_folder(self) -> Path:
        """`output` as a path."""
        return Path(self.output)

    @property
    def learned_day(self) -> date | None:
        """`learned_through` as a day."""
        return date.fromisoformat(self.learned_through) if self.learned_through else None

    @property
    def excluded(self) -> Callable[[str], bool] | None:
        """Predicate of the held-out users; none where no user is."""
        if not self.holdout_share:
            return None
        day = date.fromisoformat(self.through)
        return partial(held_out, day=day, share=self.holdout_share)
