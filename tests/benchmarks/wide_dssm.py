"""Q2's DSSM as wide as TreeBridge's encoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tests.benchmarks.contestants import dssm
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
    told,
)
from tests.benchmarks.run import Row
from tests.benchmarks.splits import Split, leave_one_out

from grove.evaluation.metrics import hit_rate


def beauty_wide_dssm(data: Path | None) -> Iterator[Row]:
    """Yield Q2's DSSM as wide as TreeBridge on Beauty leave-one-out: its trials, then the better.

    Elsewhere it is half as wide, which is what the cf trees stand on.
    """
    shop, items = read_beauty(data)
    valid = leave_one_out(shop, items, judged="valid", learn="train", clock=CLOCK)
    whose = f"Q2 DSSM, {ENCODER['width']} wide"
    tried: list[tuple[float, Mapping[str, Any]]] = []
    for changes in TRIALS["dssm"]:
        lists = _lists(valid, changes)
        yield from figures(valid, f"{whose}, with {told(changes)}", lists, ALL_MEASURES)
        tried.append((hit_rate(lists, valid.segments["all"], cutoff=50), changes))
    _, chosen = max(tried, key=lambda one: one[0])
    test = split_last_events(shop, items)
    lists = _lists(test, chosen)
    yield from figures(test, f"{whose}, with {told(chosen)}", lists, ALL_MEASURES)


def _lists(split: Split, changes: Mapping[str, Any]) -> np.ndarray:
    """The lists of one training, [U, K]."""
    options = {**SHORT, "dssm": {**SHORT["dssm"], **changes, "width": ENCODER["width"]}}
    return dssm(open_bench(split, options)).lists["DSSM"]
