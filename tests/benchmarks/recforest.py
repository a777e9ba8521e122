"""RQ1's single-tree models as TreeBridge's paper defines them, in Q2's protocol.

The paper's CF Tree-only has no LLM semantics anywhere: the cf tree is built from an id-only DSSM,
and the generator reads ids. Its LLM Tree-only takes semantics from the tree alone: a text tree, and
a generator that reads ids. Nothing else is trained here; TreeBridge's rows are those of the parts
on the same splits, and the lifts are in `lifts`.

Source: TreeBridge, RQ1, Table 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.bench import Bench
from tests.benchmarks.competing_models import TEXT_INPUT, Ranked, recforest_cf, recforest_llm
from tests.benchmarks.protocol import (
    ALL_MEASURES,
    BASKETS,
    BY_TIME,
    SHORT,
    TUNED,
    Measures,
    model_rows,
    open_bench,
    read_beauty,
    split_beauty_by_time,
    split_last_events,
    split_online_retail,
)
from tests.benchmarks.rows import Row

RECFOREST: dict[str, Callable[[Bench], Ranked]] = {
    f"cf tree {TEXT_INPUT}": recforest_cf,
    f"llm tree {TEXT_INPUT}": recforest_llm,
}
"""By the row whose tuned options a model takes; it has no trials of its own."""


def beauty_recforest(data: Path | None) -> Iterator[Row]:
    """Yield the paper's two single-tree models on Beauty leave-one-out."""
    split = split_last_events(*read_beauty(data))
    yield from compare_recforest(open_bench(split, SHORT), ALL_MEASURES)


def beauty_time_recforest(data: Path | None) -> Iterator[Row]:
    """Yield the paper's two single-tree models on Beauty by time."""
    yield from compare_recforest(open_bench(split_beauty_by_time(data), SHORT), BY_TIME)


def online_retail_recforest(data: Path | None) -> Iterator[Row]:
    """Yield the paper's two single-tree models on Online Retail by time."""
    yield from compare_recforest(open_bench(split_online_retail(data), SHORT), BASKETS)


def compare_recforest(bench: Bench, measures: Measures) -> Iterator[Row]:
    """Yield the figures of the paper's two single-tree models."""
    for tuned, model in RECFOREST.items():
        options = {**bench.options["treebridge"], **TUNED[tuned]}
        tuned_bench = replace(bench, options={**bench.options, "treebridge": options})
        yield from model_rows(bench, model(tuned_bench), measures)
