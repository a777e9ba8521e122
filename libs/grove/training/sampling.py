"""Random choices of one step: where histories are cut, and which items compete.

All draws use torch's global generator, which the loop restarts at every epoch.

Shapes: B batch, T events, P cuts, C candidates, W window, M items of a step, N items, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from grove.features.event_fields import KIND
from grove.features.ids import PAD, SECONDS_PER_DAY, UNKNOWN
from grove.features.items import ItemFeatures
from grove.features.sequences import SequenceBatch
from grove.nn.losses import NO_TARGET, sampling_correction
from grove.training.precision import Precision, large_products

FULL_SOFTMAX_ITEMS = 20_000
"""Up to this many items the softmax runs over the whole catalogue."""
SAMPLED_ITEMS = 8_192
"""Negatives drawn per step above that."""
UNKNOWN_SHARE = 0.1
"""Share of a step's items that are seen without their id."""


def hide_ids(ids: Tensor) -> Tensor:
    """Replace some ids by the unknown one, so that text and attributes alone must do for them.

    A new item has nothing else; what it is read with is learnt here.

    Args:
        ids: [M] int64 rows of the vocabulary; 0 is no item and stays.

    Returns:
        [M] int64.
    """
    hidden = torch.rand(len(ids), device=ids.device) < UNKNOWN_SHARE
    return ids.masked_fill(hidden & (ids != PAD), UNKNOWN)


def item_vectors_of_step(
    items: nn.Module, features: ItemFeatures, rows: Tensor, *, precision: Precision = "fp32"
) -> Tensor:
    """Vectors of a step's items, some of them seen without their id; see `hide_ids`.

    Args:
        items: the model's part that is called with ids, attributes and text.
        features: of N items.
        rows: [M] int64 distinct rows of `features`, ascending; 0 is no item.
        precision: of the products that the texts go through.

    Returns:
        [M, D]; no item is zero, as `grove.inference.load.encode_all_items` has it.
    """
    # Distinct rows as many as there are, are all of them: that copies nothing.
    chosen = slice(None) if len(rows) == len(features.ids) else rows
    ids = features.ids[chosen]
    # A model of ids alone has nothing else to read where an id is hidden.
    if not getattr(items, "id_only", False):
        ids = hide_ids(ids)
    with large_products(precision, rows.device.type):
        vectors: Tensor = items(ids, features.attributes[chosen], features.text[chosen])
    return vectors * (rows > PAD)[:, None]


def target_mask(batch: SequenceBatch) -> Tensor:
    """[B, T−1] bool: the event after this one is a target (fresh, of an item we know)."""
    return batch.fresh[:, 1:] & (batch.item_rows[:, 1:] > 0)


def sample_cuts(batch: SequenceBatch, *, most: int, window: int) -> tuple[Tensor, Tensor]:
    """Choose up to `most` positions per history that have a target in the window after them.

    Users are encoded once a day, at midnight; so positions after which the day ends, which look
    like those at serving, are chosen before any others.

    Args:
        batch: B histories.
        most: cuts per history.
        window: W, events after a cut that count.

    Returns:
        Cuts [B, P] int64, and [B, P] bool, false where a history has fewer such positions.
    """
    targets = torch.nn.functional.pad(target_mask(batch), (0, window))  # [B, T-1+W]
    eligible = targets.unfold(1, window, 1)[:, :-1].any(dim=2)  # [B, T-1]
    days = batch.times // SECONDS_PER_DAY  # [B, T]
    day_ends = eligible & (days[:, 1:] > days[:, :-1])  # [B, T-1]
    draws = torch.rand(eligible.shape, device=eligible.device) + eligible + day_ends
    cuts = draws.topk(min(most, eligible.shape[1]), dim=1).indices  # [B, P]
    return cuts, eligible.gather(1, cuts)


def later_window(batch: SequenceBatch, cuts: Tensor, width: int) -> Tensor:
    """Item rows of the events after each cut.

    Args:
        batch: B histories.
        cuts: [B, P] int64.
        width: W, most events after a cut.

    Returns:
        [B, P, W] int64 rows of `ItemFeatures`; 0 after the end, and for events that are not fresh.
    """
    rows = batch.item_rows * batch.fresh  # [B, T]
    rows = torch.nn.functional.pad(rows, (0, width))  # [B, T+W]
    steps = torch.arange(1, width + 1, device=cuts.device)  # [W]
    index = cuts[..., None] + steps  # [B, P, W]
    return rows[:, None, :].expand(-1, cuts.shape[1], -1).gather(2, index)


def pick_one(window: Tensor) -> Tensor:
    """Draw one of the items of each window.

    Args:
        window: [M, W] int64 rows, 0 for nothing; each row has an item.

    Returns:
        [M] int64, its place in the window.
    """
    draws = torch.rand(window.shape, device=window.device) * (window > 0)  # [M, W]
    return draws.argmax(dim=1)


def strongest_event_weight(batch: SequenceBatch, weights: Tensor) -> Tensor:
    """Weight of each event's item: the largest among the user's events with that item.

    A user clicks before ordering; the click is what is predicted, the order is what it was worth.

    Args:
        batch: B histories.
        weights: [kinds] weight by kind of event.

    Returns:
        [B, T].
    """
    same = batch.item_rows[:, :, None] == batch.item_rows[:, None, :]  # [B, T, T]
    return (same * weights[batch.fields[KIND.name]][:, None, :]).amax(dim=2)


def candidate_rows(batch: SequenceBatch, catalogue: int) -> tuple[Tensor, Tensor]:
    """Items that compete in this step: all, or the batch's own and a uniform sample.

    Args:
        batch: B histories.
        catalogue: N, items of the item table.

    Returns:
        [C] int64 rows of `ItemFeatures`, ascending, and [C] float, what their logits get added;
        see `sampling_correction`.
    """
    device = batch.item_rows.device
    if catalogue <= FULL_SOFTMAX_ITEMS:
        every = torch.arange(1, catalogue + 1, device=device)
        return every, torch.zeros(catalogue, device=device)
    present = torch.unique(batch.item_rows)
    present = present[present > 0]
    drawn = torch.unique(torch.randint(1, catalogue + 1, (SAMPLED_ITEMS,), device=device))
    drawn = drawn[~torch.isin(drawn, present)]
    correction = torch.zeros(len(present) + len(drawn), device=device)
    correction[len(present) :] = sampling_correction(len(present), len(drawn), catalogue)
    rows, order = torch.cat([present, drawn]).sort()
    return rows, correction[order]


def candidate_index(rows: Tensor, candidates: Tensor) -> Tensor:
    """Where rows stand among the candidates.

    Args:
        rows: any shape, int64; 0 for nothing.
        candidates: [C] ascending; has every row that is not 0.

    Returns:
        Same shape as `rows`, 0 .. C − 1; −1 for nothing.
    """
    return torch.searchsorted(candidates, rows).masked_fill(rows == 0, NO_TARGET)
