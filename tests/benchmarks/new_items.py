"""Q2 on new items (without training interactions), and the cost of boosting them.

No model has seen an interaction with a new item, and each ranks new items too low, one model more
than the other. So both models are evaluated with the same bonuses, added to the scores of new items
(`treebridge.new_item_bonus`). The compared bonus is chosen on earlier days, whose training and test
end before the test days: the bonus that finds most new items while HR@50 over all items keeps a
level. The result depends on what each model may pay, so three rules are reported: no boost; both
models keep the level of the adapter without a boost, so that TreeBridge may pay its whole lead and
the adapter nothing; and each model pays the same share of its own level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from tests.benchmarks.bench import Bench
from tests.benchmarks.competing_models import (
    LENGTH,
    encode_by_retriever,
    grow_trees,
    nearest,
    train_generator,
)
from tests.benchmarks.protocol import (
    BEAUTY_DAY,
    HITS,
    SHORT,
    TUNED,
    figures,
    late_day,
    open_bench,
    read_beauty,
)
from tests.benchmarks.rows import Row
from tests.benchmarks.splits import Split, by_time

from grove.datasets import TREES
from grove.evaluation.metrics import hit_rate
from grove.systems.treebridge.search import SearchFilters

EARLIER_DAY = date(2013, 10, 1)
"""First day of the split that the bonus is chosen on; its targets end before the test begins."""
BONUSES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5)
MOST_PAID = 0.02
"""Share of its own HR@50 over all items that a model may pay, by the rule of equal shares."""
ADAPTER, OURS = "PRECISE-type", "TreeBridge"
LEAST_LIFT = 1.3
PAPER_LIFT = 0.1402 / 0.1080
"""Of TreeBridge over PRECISE, HR@50 on new items, on the paper's own shop."""
Found = dict[tuple[str, float, str], float]
"""HR@50 by model, bonus and segment."""


def beauty_new_items(data: Path | None) -> Iterator[Row]:
    """Yield the figures of every model and bonus, then the lifts with the chosen bonuses."""
    shop, items = read_beauty(data)
    day = late_day(shop) if data else BEAUTY_DAY
    earlier = by_time(shop, items, split_on=late_day(shop, 0.8) if data else EARLIER_DAY, until=day)
    before: Found = {}
    yield from boost(open_bench(earlier, SHORT), before)
    test = by_time(shop, items, split_on=day)
    after: Found = {}
    yield from boost(open_bench(test, SHORT), after)
    for rule, bonuses in choose_bonuses(before).items():
        yield from compare(test, rule, bonuses, after)


def boost(bench: Bench, found: Found) -> Iterator[Row]:
    """Yield the figures of both models by bonus, and collect them.

    Args:
        bench: of a split by time.
        found: HR@50 is added to it.
    """
    for name, (kind, lists_by_bonus) in MODELS.items():
        options = {**bench.options, kind: {**bench.options[kind], **TUNED[name]}}
        for bonus, lists in lists_by_bonus(replace(bench, options=options), BONUSES).items():
            system = f"Q2 {name}, new items boosted by {bonus:g}"
            yield from figures(bench.split, system, lists, HITS)
            for segment, targets in bench.split.segments.items():
                found[name, bonus, segment] = hit_rate(lists, targets, cutoff=50)


def choose_bonuses(found: Found) -> dict[str, dict[str, float]]:
    """The bonus of each model by each rule, from its HR@50 on the earlier days."""
    own = {name: found[name, 0.0, "all"] for name in MODELS}
    least = {
        f"each at {MOST_PAID:.0%} less over all": {n: (1 - MOST_PAID) * own[n] for n in MODELS},
        f"no worse over all than {ADAPTER}": dict.fromkeys(MODELS, own[ADAPTER]),
    }
    chosen = {
        rule: {name: chosen_bonus(found, name, level) for name, level in levels.items()}
        for rule, levels in least.items()
    }
    return {"no boost": dict.fromkeys(MODELS, 0.0), **chosen}


def chosen_bonus(found: Found, name: str, least: float) -> float:
    """The bonus with which a model finds most new items.

    Args:
        found: on the earlier days.
        name: of the model.
        least: lowest HR@50 over all items; the bonus is 0 where no bonus keeps it.
    """
    fair = [bonus for bonus in BONUSES if found[name, bonus, "all"] >= least]
    return max(fair, key=lambda bonus: found[name, bonus, "new items"], default=0.0)


def compare(split: Split, rule: str, bonuses: Mapping[str, float], found: Found) -> Iterator[Row]:
    """Yield the lift of TreeBridge over the adapter, each with its bonus.

    Args:
        split: of the test.
        rule: by which the bonuses were chosen.
        bonuses: by model.
        found: on the test.
    """
    ours, theirs = bonuses[OURS], bonuses[ADAPTER]
    for segment, goal, reference in (
        ("new items", LEAST_LIFT, f"paper {PAPER_LIFT:.2f}, on its own shop"),
        ("all", 1.0, ""),
    ):
        ratio = found[OURS, ours, segment] / max(found[ADAPTER, theirs, segment], 1e-9)
        measure = (
            f"Q2 {OURS}, new items boosted by {ours:g}, over {ADAPTER}, boosted by {theirs:g} "
            f"({rule}), {split.name}, {segment}, HR@50"
        )
        yield Row(measure, ratio, "ratio", reference, f"≥ {goal:g}", ratio >= goal)


def _by_generator(bench: Bench, bonuses: Sequence[float]) -> dict[float, np.ndarray]:
    """TreeBridge's lists, [U, LENGTH], by bonus; its trees are searched once."""
    _, searcher = train_generator(bench, grow_trees(bench, TREES))
    boosted = {bonus: replace(searcher, new_item_bonus=bonus) for bonus in bonuses}
    pieces: dict[float, list[np.ndarray]] = {bonus: [] for bonus in bonuses}
    filters = SearchFilters(excluded=bench.split.seen)
    for found in searcher.find(bench.split.asked, k=LENGTH, filters=filters):
        for bonus, one in boosted.items():
            pieces[bonus].append(one.fuse(found, k=LENGTH)[0])
    return {bonus: np.concatenate(lists) for bonus, lists in pieces.items()}


def _by_adapter(bench: Bench, bonuses: Sequence[float]) -> dict[float, np.ndarray]:
    """The adapter's lists, [U, LENGTH], by bonus."""
    _, users, items = encode_by_retriever(bench, "fused")
    # One more column, which is 1 for every user, adds a bias per item.
    users = np.column_stack([users, np.ones(len(users), users.dtype)])  # [U, D+1]
    new = np.append(False, ~bench.split.known).astype(items.dtype)  # [N+1]
    return {
        bonus: nearest(bench.split, users, np.column_stack([items, bonus * new]))
        for bonus in bonuses
    }


ByBonus = Callable[[Bench, Sequence[float]], dict[float, np.ndarray]]
MODELS: dict[str, tuple[str, ByBonus]] = {
    ADAPTER: ("retriever", _by_adapter),
    OURS: ("treebridge", _by_generator),
}
"""By model: the section of the bench's options that it reads, and the function of its lists."""
