"""Each epoch's batches: shuffled by name of the epoch, the same number on every worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from grove.features.sequences import SequenceBatch, Sequences
from grove.training.collectives import largest_over_workers, sum_over_workers, world
from grove.training.seeds import numpy_generator


@dataclass(frozen=True, kw_only=True)
class UserBatches:
    """Histories in random order, cut into `steps` pieces of nearly equal size.

    All workers step together, so all must have the same number of pieces; a worker with fewer
    users has smaller ones (empty, where it has fewer users than steps).
    """

    sequences: Sequences
    """This worker's users."""
    users: np.ndarray
    """[U] int64, the rows of `sequences` to learn from."""
    steps: int
    """Batches per epoch, equal on all workers."""
    histories: int
    """Per epoch, over all workers."""
    seed: int
    """Seed of the order."""

    def epoch(self, number: int) -> Iterator[SequenceBatch]:
        """Batches of one epoch; the order depends on nothing but seed, epoch and rank."""
        rank, _ = world()
        order = numpy_generator(self.seed, "order", number, rank).permutation(self.users)
        for users in np.array_split(order, self.steps):
            yield self.sequences.batch(users)


def user_batches(sequences: Sequences, *, size: int, seed: int) -> UserBatches:
    """Batches of the users who have something to learn: a fresh event after another event.

    Args:
        sequences: this worker's users.
        size: most users per batch and worker.
        seed: of the order.

    Returns:
        Batches; at least one per epoch, even where no worker has such a user.
    """
    targets = sequences.fresh.copy()
    occupied = sequences.lengths > 0
    targets[sequences.offsets[:-1][occupied]] = False  # nothing comes before a first event
    counts = np.concatenate([[0], np.cumsum(targets)])[sequences.offsets]  # [U+1]
    users = np.flatnonzero(np.diff(counts))
    steps = largest_over_workers(max(-(-len(users) // size), 1))
    histories = int(sum_over_workers(torch.tensor(len(users))))
    return UserBatches(
        sequences=sequences, users=users, steps=steps, histories=histories, seed=seed
    )
