"""Q2 on items nobody had before the day, and what it costs to favour them.

No model has seen anybody take a new item, and each ranks it below what it is worth, one more than
the other. So both contestants are asked with the same bonuses, added to the scores of new items
(`treebridge.new_item_bonus`), and all figures stand side by side. One bonus of TreeBridge is chosen
on earlier days, which are learnt and judged before the days of the test: the one that finds most
new items while over all items the list is no worse than the adapter's own. What it gives on the
test is told beside the adapter's figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.bench import Bench
from tests.benchmarks.contestants import Ranked, recaller, treebridge
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
from tests.benchmarks.run import Row
from tests.benchmarks.splits import Split, by_time

from grove.evaluation.ranking import hit_rate

EARLIER_DAY = date(2013, 10, 1)
"""First day that is not learnt where the bonus is chosen; what is judged there ends before the
test begins."""
BONUSES = (0.0, 1.0, 1.5, 2.0, 2.5)
ADAPTER, OURS = "PRECISE-type", "TreeBridge"
KINDS = {ADAPTER: "recaller", OURS: "treebridge"}
CONTESTS: dict[str, Callable[..., Ranked]] = {
    ADAPTER: partial(recaller, adapter="fused", name=ADAPTER),
    OURS: treebridge,
}
LEAST_LIFT = 1.3
PAPER_LIFT = 0.1402 / 0.1080
"""Of TreeBridge over PRECISE, H@50 on new items, on the paper's own shop."""
Found = dict[tuple[str, float, str], float]
"""H@50 by contestant, bonus and segment."""


def beauty_new_items(data: Path | None) -> Iterator[Row]:
    """Yield every contestant's figures with every bonus, then those of the chosen one."""
    shop, items = read_beauty(data)
    day = late_day(shop) if data else BEAUTY_DAY
    earlier = by_time(shop, items, split_on=late_day(shop, 0.8) if data else EARLIER_DAY, until=day)
    before: Found = {}
    yield from favour(open_bench(earlier, SHORT), before)
    bonus = chosen_bonus(before)
    test = by_time(shop, items, split_on=day)
    after: Found = {}
    yield from favour(open_bench(test, SHORT), after)
    yield from compare(test, bonus, after)


def favour(bench: Bench, found: Found) -> Iterator[Row]:
    """Yield the figures of both contestants by bonus, and keep them.

    Args:
        bench: of a split by time.
        found: is filled.
    """
    for name, contest in CONTESTS.items():
        options = {**bench.options, KINDS[name]: _tuned(bench, name)}
        for bonus in BONUSES:
            lists = contest(replace(bench, options=options), bonus=bonus).lists[name]
            told = f"Q2 {name}, new items favoured by {bonus:g}"
            yield from figures(bench.split, told, lists, HITS)
            for segment, targets in bench.split.segments.items():
                found[name, bonus, segment] = hit_rate(lists, targets, cutoff=50)


def chosen_bonus(found: Found) -> float:
    """The bonus with which TreeBridge finds most new items, and overall no less than the adapter.

    Args:
        found: on the earlier days; 0 is taken where every bonus costs too much.
    """
    least = found[ADAPTER, 0.0, "all"]
    fair = [bonus for bonus in BONUSES if found[OURS, bonus, "all"] >= least]
    return max(fair, key=lambda bonus: found[OURS, bonus, "new items"], default=0.0)


def compare(split: Split, bonus: float, found: Found) -> Iterator[Row]:
    """Yield how many times better the chosen bonus is than the adapter as it is.

    Args:
        split: of the test.
        bonus: chosen before.
        found: on the test.
    """
    for segment, goal, reference in (
        ("new items", LEAST_LIFT, f"paper {PAPER_LIFT:.2f}, on its own shop"),
        ("all", 1.0, ""),
    ):
        ratio = found[OURS, bonus, segment] / max(found[ADAPTER, 0.0, segment], 1e-9)
        measure = (
            f"Q2 {OURS}, new items favoured by {bonus:g} (chosen before), over {ADAPTER}, "
            f"{split.name}, {segment}, H@50"
        )
        yield Row(measure, ratio, "ratio", reference, f"≥ {goal:g}", ratio >= goal)


def _tuned(bench: Bench, name: str) -> dict[str, Any]:
    return {**bench.options[KINDS[name]], **TUNED[name]}
