"""Functions of the models that make item vectors: how each is trained and loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from grove.stages.encoded import Encoded
from grove.stages.training_pass import WorkerFunction
from grove.systems.dssm.encode import load_dssm
from grove.systems.dssm.train import train_dssm_worker
from grove.systems.stars.encode import load_stars
from grove.systems.stars.train import train_stars_worker
from grove.systems.stars.user_vectors import UserVectors


@dataclass(frozen=True, kw_only=True)
class VectorModel:
    """Functions of one model that makes item vectors."""

    unit_norm: bool
    """Whether its item vectors have norm 1."""
    train: WorkerFunction
    """Function each worker runs."""
    load: Callable[[Path, pa.Table], Encoded]
    """Model folder and item table → encoder."""


def _load_dssm(folder: Path, item_table: pa.Table) -> Encoded:
    encoder = load_dssm(folder, item_table)
    return Encoded(
        item_vectors=encoder.item_vectors[1:].numpy(),
        users=lambda histories: {"user": encoder.users(histories)},
    )


def _load_stars(folder: Path, item_table: pa.Table) -> Encoded:
    encoder = load_stars(folder, item_table)
    return Encoded(
        item_vectors=encoder.item_vectors[1:].numpy(),
        users=lambda histories: _next_then_general(encoder.users(histories)),
    )


def _next_then_general(users: UserVectors[np.ndarray]) -> dict[str, np.ndarray]:
    """In the order in which their lists are interleaved: h_next first, as served."""
    return {"h_next": users.h_next, "h_gen": users.h_gen}


VECTOR_MODELS = {
    "stars": VectorModel(unit_norm=False, train=train_stars_worker, load=_load_stars),
    "dssm": VectorModel(unit_norm=True, train=train_dssm_worker, load=_load_dssm),
}
"""By name in `grove.datasets.VECTOR_SYSTEMS`, in the order in which metrics name their lists."""
