"""Random choices of one step: the cuts of the histories, and the items of the softmax.

All draws use torch's global generator, which the loop seeds at every epoch.

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
from grove.training.options import SamplingOptions
from grove.training.precision import Precision, large_products


def hide_ids(ids: Tensor, share: float) -> Tensor:
    """Replace some ids by the unknown one (id dropout), so that text and attributes must suffice.

    A new item has nothing else: this trains the vector of the unknown id that it is read with.

    Args:
        ids: [M] int64 rows of the vocabulary; 0 is no item and stays.
        share: probability of being replaced.

    Returns:
        [M] int64.
    """
    hidden = torch.rand(len(ids), device=ids.device) < share
    return ids.masked_fill(hidden & (ids != PAD), UNKNOWN)


def item_vectors_of_step(
    items: nn.Module,
    features: ItemFeatures,
    rows: Tensor,
    *,
    unknown_share: float,
    precision: Precision = "fp32",
) -> Tensor:
    """Vectors of a step's items, some of them seen without their id; see `hide_ids`.

    Args:
        items: the model's part that is called with ids, attributes and text.
        features: of N items.
        rows: [M] int64 distinct rows of `features`, ascending; 0 is no item.
        unknown_share: share of the items whose id is hidden.
        precision: of the matmuls that the texts go through.

    Returns:
        [M, D]; no item is zero, as `grove.inference.load.encode_all_items` has it.
    """
    # As many distinct rows as there are items are all of them: a slice copies nothing.
    chosen = slice(None) if len(rows) == len(features.ids) else rows
    ids = features.ids[chosen]
    # A model of ids alone has nothing else to read where an id is hidden.
    if not getattr(items, "id_only", False):
        ids = hide_ids(ids, unknown_share)
    with large_products(precision, rows.device.type):
        vectors: Tensor = items(ids, features.attributes[chosen], features.text[chosen])
    return vectors * (rows > PAD)[:, None]


def target_mask(batch: SequenceBatch) -> Tensor:
    """[B, T−1] bool: the event after this one is a target (fresh, of an item we know)."""
    return batch.fresh[:, 1:] & (batch.item_rows[:, 1:] > 0)


def sample_cuts(batch: SequenceBatch, *, most: int, window: int) -> tuple[Tensor, Tensor]:
    """Choose up to `most` positions per history that have a target in the window after them.

    Users are encoded once a day, at midnight; so the last positions of days, which resemble those
    at serving, are chosen before any others.

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
    # Draws lie in [0, 1): adding 1 per criterion ranks day ends first, then other eligible
    # positions, each at random; ineligible ones are taken only to fill the shape.
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
        [M] int64, its position in the window.
    """
    # The largest of independent uniform draws is at each item with equal probability.
    draws = torch.rand(window.shape, device=window.device) * (window > 0)  # [M, W]
    return draws.argmax(dim=1)


def strongest_event_weight(batch: SequenceBatch, weights: Tensor) -> Tensor:
    """Weight of each event's item: the largest among the user's events with that item.

    A user clicks before ordering: the click is the positive, and the order gives its weight.

    Args:
        batch: B histories.
        weights: [kinds] weight by kind of event.

    Returns:
        [B, T].
    """
    same = batch.item_rows[:, :, None] == batch.item_rows[:, None, :]  # [B, T, T]
    return (same * weights[batch.fields[KIND.name]][:, None, :]).amax(dim=2)


def candidate_rows(
    batch: SequenceBatch, catalogue: int, sampling: SamplingOptions
) -> tuple[Tensor, Tensor]:
    """Items of this step's softmax: all, or the batch's own and a uniform sample.

    Args:
        batch: B histories.
        catalogue: N, items of the item table.
        sampling: largest catalogue that is used whole, and size of the sample of a larger one.

    Returns:
        [C] int64 rows of `ItemFeatures`, ascending, and [C] float, added to their logits; see
        `sampling_correction`.
    """
    device = batch.item_rows.device
    if catalogue <= sampling.full_softmax_items:
        every = torch.arange(1, catalogue + 1, device=device)
        return every, torch.zeros(catalogue, device=device)
    present = torch.unique(batch.item_rows)
    present = present[present > 0]
    draws = torch.randint(1, catalogue + 1, (sampling.sampled_items,), device=device)
    drawn = torch.unique(draws)
    # An item of the batch is present for certain: drawn as well, it would count twice.
    drawn = drawn[~torch.isin(drawn, present)]
    correction = torch.zeros(len(present) + len(drawn), device=device)
    correction[len(present) :] = sampling_correction(len(present), len(drawn), catalogue)
    rows, order = torch.cat([present, drawn]).sort()
    return rows, correction[order]


def candidate_index(rows: Tensor, candidates: Tensor) -> Tensor:
    """Position of rows among the candidates.

    Args:
        rows: any shape, int64; 0 for nothing.
        candidates: [C] ascending; has every row that is not 0.

    Returns:
        Same shape as `rows`, 0 .. C − 1; −1 for nothing.
    """
    return torch.searchsorted(candidates, rows).masked_fill(rows == 0, NO_TARGET)
