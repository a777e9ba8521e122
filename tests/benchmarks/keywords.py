"""Q2 where a keyword starts the generator: TreeBridge with it, without it, and a query look-up.

One generator is trained on searches and all events before them; half of the time it is not given
the keyword (`KEYWORD_SHARE`). It is evaluated twice, with the keyword's text vector and without.
Beside it are popularity and a query look-up, which returns the items that the query led to. The
look-up ignores words: for a new query it is popularity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from scipy.sparse import csr_matrix
from tests.benchmarks.bench import Bench, training_seconds
from tests.benchmarks.competing_models import (
    LENGTH,
    Ranked,
    grow_trees,
    popularity,
    train_generator,
)
from tests.benchmarks.protocol import (
    HOME,
    SHORT,
    TUNED,
    Measures,
    Options,
    figures,
    open_bench,
    read_beauty,
    split_last_events,
    training_time,
)
from tests.benchmarks.rows import Row
from tests.benchmarks.search_data import Searches, read_clicks, search_categories, search_clicks
from tests.benchmarks.shop_data import read_item_table
from tests.benchmarks.splits import rows_of_users

from grove.datasets import TREES
from grove.evaluation.metrics import average_precision, hit_rate
from grove.inference.top_k import top_k
from grove.systems.treebridge.search import SearchFilters

BESTBUY = Path("../shared/data/bestbuy_xbox_search")
BESTBUY_DAY = date(2011, 10, 25)
"""The last week of the file."""
TUNED_SHORT: Options = {**SHORT, "treebridge": {**SHORT["treebridge"], **TUNED["TreeBridge"]}}


CLICKED = (("HR@1", hit_rate, 1), ("HR@5", hit_rate, 5), ("MAP@5", average_precision, 5))
LISTED = (("HR@10", hit_rate, 10), ("HR@50", hit_rate, 50))


def bestbuy_keywords(data: Path | None) -> Iterator[Row]:
    """Yield Q2 on Best Buy: from a query to the game that was clicked."""
    shop = read_clicks(data or BESTBUY)
    searches = search_clicks(shop, read_item_table(shop, HOME), HOME, split_on=BESTBUY_DAY)
    yield from compare(open_bench(searches.plain, TUNED_SHORT), searches, CLICKED)


def beauty_keywords(data: Path | None) -> Iterator[Row]:
    """Yield Q2 on Beauty leave-one-out: from the category path of the next item to the item."""
    split = split_last_events(*read_beauty(data))
    yield from compare(open_bench(split, TUNED_SHORT), search_categories(split, HOME), LISTED)


def compare(bench: Bench, searches: Searches, measures: Measures) -> Iterator[Row]:
    """Yield the figures of every model.

    Args:
        bench: of the plain split.
        searches: the queries and their targets.
        measures: symbol, function and cutoff of each.
    """
    for ranked in _ranked_by_all(bench, searches):
        yield from training_time("Q2", replace(bench, split=searches.split), ranked)
        for name, lists in ranked.lists.items():
            yield from figures(searches.split, f"Q2 {name}", lists, measures)


def query_lookup(searches: Searches) -> Ranked:
    """Items by how often the query led to them; ties, and all others, by popularity."""
    split, items = searches.split, searches.plain.items
    queries, asked = np.unique(np.array(searches.queries), return_inverse=True)  # [Q], [U]
    learnt = pc.list_flatten(split.learnt["queries"]).to_pylist()
    typed = pd.Index(queries).get_indexer(learnt)  # [E], −1 where no search has it
    rows = np.concatenate(rows_of_users(split.learnt, items))  # [E], −1 for an opening
    events = np.bincount(rows[rows >= 0], minlength=len(items))  # [N]
    clicks = np.zeros((len(queries), len(items)))  # [Q, N]
    led = (typed >= 0) & (rows >= 0)
    np.add.at(clicks, (typed[led], rows[led]), 1)
    # One click of the query counts more than all events: these only break ties.
    scores = clicks * (events.max() + 1) + events
    choice = csr_matrix((np.ones(len(asked)), (np.arange(len(asked)), asked)))  # [U, Q]
    return Ranked(lists={"query look-up": top_k(choice, scores.T, k=LENGTH, excluded=split.seen)})


def treebridge(bench: Bench, searches: Searches) -> Ranked:
    """One generator on both trees, searched with the keyword's vector and without it."""
    split = searches.split
    model, searcher = train_generator(replace(bench, split=split), grow_trees(bench, TREES))
    ask = partial(searcher.search, split.asked, k=LENGTH)
    silent = SearchFilters(excluded=split.seen)
    started, bare = (
        ask(filters=replace(silent, keyword_vectors=searches.vectors)),
        ask(filters=silent),
    )
    name = "TreeBridge started by the keyword"
    trees = {f"{name}, its {tree} tree": lists for tree, (lists, _) in started.by_tree.items()}
    return Ranked(
        lists={name: started.fused[0], **trees, "TreeBridge without the keyword": bare.fused[0]},
        seconds=training_seconds(model),
    )


def _ranked_by_all(bench: Bench, searches: Searches) -> Iterator[Ranked]:
    yield popularity(bench)
    yield query_lookup(searches)
    yield treebridge(bench, searches)
