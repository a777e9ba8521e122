"""Q2's DSSM with the width of TreeBridge's encoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tests.benchmarks.competing_models import dssm
from tests.benchmarks.protocol import (
    ALL_MEASURES,
    CLOCK,
    ENCODER,
    SHORT,
    TRIALS,
    figures,
    open_bench,
    read_beauty,
    split_last_events,
    trial_name,
)
from tests.benchmarks.rows import Row
from tests.benchmarks.splits import Split, leave_one_out

from grove.evaluation.metrics import hit_rate


def beauty_wide_dssm(data: Path | None) -> Iterator[Row]:
    """Yield Q2's DSSM at TreeBridge's width on Beauty leave-one-out: trials, then the better.

    In other parts it has half the width, as the DSSM of the cf trees has.
    """
    shop, items = read_beauty(data)
    valid = leave_one_out(shop, items, evaluated="valid", learn="train", clock=CLOCK)
    system = f"Q2 DSSM, width {ENCODER['width']}"
    tried: list[tuple[float, Mapping[str, Any]]] = []
    for changes in TRIALS["dssm"]:
        lists = _lists(valid, changes)
        yield from figures(valid, f"{system}, with {trial_name(changes)}", lists, ALL_MEASURES)
        tried.append((hit_rate(lists, valid.segments["all"], cutoff=50), changes))
    _, chosen = max(tried, key=lambda one: one[0])
    test = split_last_events(shop, items)
    lists = _lists(test, chosen)
    yield from figures(test, f"{system}, with {trial_name(chosen)}", lists, ALL_MEASURES)


def _lists(split: Split, changes: Mapping[str, Any]) -> np.ndarray:
    """The lists of one training, [U, K]."""
    options = {**SHORT, "dssm": {**SHORT["dssm"], **changes, "width": ENCODER["width"]}}
    return dssm(open_bench(split, options)).lists["DSSM"]
