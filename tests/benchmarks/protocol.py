"""Shared by the parts of Q1 and Q2: options of trainings, tuned options, and rows of metrics."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from tests.benchmarks.bench import Bench
from tests.benchmarks.competing_models import TEXT_INPUT, Ranked
from tests.benchmarks.rows import Row, metric_row
from tests.benchmarks.shop_data import Shop, read_item_table, read_orders, read_reviews
from tests.benchmarks.splits import Split, by_time, leave_one_out

from grove.evaluation.metrics import hit_rate, ndcg, recall

BEAUTY = Path("../shared/data/amazon2014_beauty")
BEAUTY_DAY = date(2014, 1, 1)
"""First day of the test, where Beauty is split by time."""
RETAIL = Path("../shared/data/uci_online_retail")
RETAIL_DAY = date(2011, 12, 3)
"""First day of the test, the last week of Online Retail."""
HOME = Path("build/benchmarks/treebridge")
LEARN: Literal["train", "before"] = "train"
CLOCK: Literal["order", "real"] = "order"
SEEDS = (13, 14, 15)
"""Of trainings: the first everywhere, all of them where figures are reported with their spread."""
WORKERS = 2

# Sizes and rates are those of TreeBridge's paper where it gives them (1 layer, width 128, 8 heads).
# Tuned options are in `TUNED`. They are chosen on `beauty-tuning` (valid), never on test.
# On Beauty leave-one-out, an epoch takes two cores with fast bfloat16 50 s (one tree), 65 s (two
# trees), 35 to 75 s (a retriever) or 5 s (DSSM). The numbers of epochs follow from that.
ENCODER = {"width": 128, "layers": 1, "heads": 8, "dropout": 0.3}
TREES = {"llm_weight": 1.0, "cf_weight": 1.0, "item_weight": 1.0, "leaf_step": "item_score"}
STEPS = {"batch_size": 32, "learning_rate": 3e-3}
DSSM = {"width": 64, "dropout": 0.1, "batch_size": 64, "learning_rate": 2e-3, "epochs": 20}
Options = Mapping[str, Mapping[str, Any]]
SHORT: Options = {
    "dssm": DSSM,
    "ease": {"ridge": 250.0},
    "retriever": {**ENCODER, **STEPS, "epochs": 8},
    "treebridge": {**ENCODER, **TREES, **STEPS, "epochs": 8},
}
"""Q2: no training takes more than `MOST_SECONDS["Q2"]` on two cores."""
_DROPOUTS = ({"dropout": 0.2}, {"dropout": 0.5})
TRIALS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "dssm": _DROPOUTS,
    "retriever": _DROPOUTS,
    "treebridge": tuple({"dropout": 0.2, "item_weight": weight} for weight in (1.0, 2.0)),
}
"""Trials on the valid events, by kind: two for every trained model, the same for one tree and two.
A dropout of .5 was too much for retrievers in so few epochs. With a second tree the item loss
counts less beside the trees' losses, so its weight is tried."""
TUNED: Mapping[str, Mapping[str, Any]] = {
    "DSSM": TRIALS["dssm"][1],
    "LLM-only": TRIALS["retriever"][0],
    "EASE": TRIALS["retriever"][0],
    "PRECISE-type": TRIALS["retriever"][0],
    **{f"{tree} tree {TEXT_INPUT}": TRIALS["treebridge"][1] for tree in ("cf", "llm")},
    "TreeBridge": TRIALS["treebridge"][1],
}
"""The trial with the larger HR@50 in `beauty-tuning`, by model. Other tables of Q2 take it without
trials of their own; some valid events of Beauty are later than the day `beauty-time` splits on."""

MOST_SECONDS = {"Q1": 3_600, "Q2": 600}
Measures = Sequence[tuple[str, Callable[..., float], int]]
"""Symbol, function and cutoff of each."""
HITS: Measures = (("HR@50", hit_rate, 50), ("HR@100", hit_rate, 100))
ALL_MEASURES: Measures = (("HR@10", hit_rate, 10), ("NDCG@10", ndcg, 10), *HITS)
BY_TIME: Measures = (*HITS, ("Recall@50", recall, 50), ("Recall@100", recall, 100))
"""A user has many targets there."""
BASKETS: Measures = (("HR@10", hit_rate, 10), ("NDCG@10", ndcg, 10), *BY_TIME)


def read_beauty(data: Path | None) -> tuple[Shop, pa.Table]:
    """Beauty, or the shop of another folder by that folder's name, and its item table."""
    shop = read_reviews(data, data.resolve().name) if data else read_reviews(BEAUTY)
    return shop, read_item_table(shop, HOME)


def split_last_events(shop: Shop, items: pa.Table) -> Split:
    """Split off the last event of every user, with `LEARN` and `CLOCK`."""
    return leave_one_out(shop, items, evaluated="test", learn=LEARN, clock=CLOCK)


def split_beauty_by_time(data: Path | None) -> Split:
    """Beauty, or the shop of another folder, by time, with the new items apart."""
    shop, items = read_beauty(data)
    return by_time(shop, items, split_on=late_day(shop) if data else BEAUTY_DAY)


def split_online_retail(data: Path | None) -> Split:
    """Online Retail by time, with repurchases."""
    shop = read_orders(data or RETAIL)
    return by_time(shop, read_item_table(shop, HOME), split_on=RETAIL_DAY, repurchases=True)


def late_day(shop: Shop, share: float = 0.9) -> date:
    """The first day after so large a share of a shop's events."""
    return date(1970, 1, 1) + timedelta(days=int(np.quantile(shop.events["day"], share)) + 1)


def open_bench(split: Split, options: Options) -> Bench:
    """A bench whose folder is named by the training data, so that valid and test share models."""
    folder = HOME / re.sub(r"[^a-z0-9]+", "-", split.learns.lower())
    return Bench(split=split, folder=folder, options=options, seed=SEEDS[0], workers=WORKERS)


def trial_name(changes: Mapping[str, Any]) -> str:
    """A trial's options as text, in the names of its rows."""
    return ", ".join(f"{name} {value}" for name, value in changes.items())


def figures(split: Split, name: str, lists: np.ndarray, measures: Measures) -> Iterator[Row]:
    """Yield the metrics of some lists, on all targets and on each segment.

    Args:
        split: the users and targets of the lists.
        name: of the system that made the lists.
        lists: [U, K] int64 item rows, best first.
        measures: symbol, function and cutoff of each.
    """
    for segment, targets in split.segments.items():
        part = "" if segment == "all" else f", {segment}"
        for symbol, measure, cutoff in measures:
            value = measure(lists, targets, cutoff=cutoff)
            yield metric_row(name, f"{split.name}{part}", symbol, value)


def model_rows(bench: Bench, ranked: Ranked, measures: Measures) -> Iterator[Row]:
    """Yield the seconds of a model's training, and the metrics of each of its lists, in Q2."""
    yield from training_time("Q2", bench, ranked)
    for name, lists in ranked.lists.items():
        yield from figures(bench.split, f"Q2 {name}", lists, measures)


def training_time(question: str, bench: Bench, ranked: Ranked) -> Iterator[Row]:
    """Yield the seconds of a training beside its limit, unless there was none or it was resumed."""
    if ranked.seconds is None:
        return
    most, name = MOST_SECONDS[question], next(iter(ranked.lists))
    measure = f"{question} training of {name}, {bench.split.name}, {bench.workers} workers"
    yield Row(measure, ranked.seconds, "s", "", f"≤ {most:,}", ranked.seconds <= most)
