"""The two models that make item vectors, told apart by plain values and functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from grove.settings import Settings
from grove.settings.models import TrainingSettings
from grove.stages.training_pass import WorkerFunction
from grove.systems.dssm.encode import load_dssm
from grove.systems.dssm.train import train_dssm_worker
from grove.systems.stars.encode import load_stars
from grove.systems.stars.train import train_stars_worker
from grove.systems.stars.user_vectors import UserVectors


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A model loaded for the items of a day."""

    item_vectors: np.ndarray
    """[N, D] float32, in the item table's order."""
    users: Callable[[pa.Table], tuple[np.ndarray, ...]]
    """Rows of `histories` → one or two [U, D] arrays; their lists are interleaved."""


@dataclass(frozen=True, kw_only=True)
class ModelKind:
    """What a pass needs to know of a model."""

    name: str
    """In `item_vectors` and in a release's folder."""
    unit_norm: bool
    """Whether its item vectors have norm 1."""
    train: WorkerFunction
    """Function each rank runs."""
    load: Callable[[Path, pa.Table], Encoded]
    """Model folder and item table → encoder."""

    @property
    def job(self) -> str:
        """Name of its job."""
        return f"train_{self.name}"

    def settings(self, settings: Settings) -> TrainingSettings:
        """Its section of the settings."""
        section: TrainingSettings = getattr(settings, self.name)
        return section


def training_options(section: TrainingSettings) -> dict[str, Any]:
    """Options of a training from scratch: the section's values."""
    return section.model_dump()


def update_options(section: TrainingSettings) -> dict[str, Any]:
    """Options of an update: its own epochs and rate, else the section's values."""
    return section.model_dump() | {
        "epochs": section.update_epochs,
        "learning_rate": section.update_learning_rate,
    }


def _load_dssm(folder: Path, item_table: pa.Table) -> Encoded:
    encoder = load_dssm(folder, item_table)
    return Encoded(
        item_vectors=encoder.item_vectors[1:].numpy(),
        users=lambda histories: (encoder.users(histories),),
    )


def _load_stars(folder: Path, item_table: pa.Table) -> Encoded:
    encoder = load_stars(folder, item_table)
    return Encoded(
        item_vectors=encoder.item_vectors[1:].numpy(),
        users=lambda histories: _next_then_general(encoder.users(histories)),
    )


def _next_then_general(users: UserVectors[np.ndarray]) -> tuple[np.ndarray, ...]:
    """In the order in which their lists are interleaved: h_next first, as served."""
    return users.h_next, users.h_gen


DSSM = ModelKind(name="dssm", unit_norm=True, train=train_dssm_worker, load=_load_dssm)
STARS = ModelKind(name="stars", unit_norm=False, train=train_stars_worker, load=_load_stars)
