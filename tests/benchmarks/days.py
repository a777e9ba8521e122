"""Ten days in a row: stability of the codes, and hit rates of every day's lists.

It runs ten days of the built-in marketplace, where items are new every day, in a home of its own,
and runs again only what is missing there; `DATA=` takes another home as it is. The codes are read
from the table, day by day, and not from the trees' own reports: between two days of one generation
no item may have moved. On the day of a rebuild the churn is the share of items with another path;
slots are assigned from scratch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from tests.benchmarks.rows import Row

from grove.datasets import CODES, METRICS, TREES, Layout
from grove.runtime.tables import read_arrow
from infra.local.__main__ import HOMES
from infra.local.components import stop_airflow
from infra.local.installation import Installation, remembered_port
from infra.local.refresh import RunRequest, run_days

COUNT, LAST = 10, date(2026, 11, 21)
"""Fixed, so that an interrupted run resumes on a later day."""
CUTOFF = 50
MODELS = ("fused", "treebridge", "stars", "popularity", "oracle")
"""Models whose lists of a day are reported, where the source has them."""


def measure_ten_days(data: Path | None) -> Iterator[Row]:
    """Yield the codes and the hit rates of every day that a home has."""
    home = data or HOMES / "benchmark-days"
    if data is None:
        _run_marketplace(home)
    layout = Layout(str(home))
    days = sorted(set(read_arrow(layout, CODES, columns=["day"])["day"].to_pylist()))
    for tree in TREES:
        codes = {day: read_arrow(layout, CODES, day=day, tree=tree) for day in days}
        yield from code_rows(tree, codes)
    for day in days:
        yield from hit_rows(day, read_arrow(layout, METRICS, day=day, stage="evaluate_models"))


def code_rows(tree: str, codes: Mapping[date, pa.Table]) -> Iterator[Row]:
    """Yield the changes of the codes from each day to the next.

    Args:
        tree: its name.
        codes: rows of `codes` of that tree by day, in order.
    """
    for before, day in pairwise(codes):
        if (day - before).days > 1:
            continue  # days of two rows: other days' trees may lie between them
        old, new = codes[before], codes[day]
        joined = pc.invert(pc.is_in(new["item_id"], value_set=old["item_id"].combine_chunks()))
        moved, other_path, kept = moved_codes(old, new)
        where = f"{tree} tree, {day}"
        yield Row(f"{where}, items that joined", float(pc.sum(joined).as_py()), "items")
        if set(old["generation"].unique()) == set(new["generation"].unique()):
            yield Row(f"{where}, moved codes", moved, "items", "", "0", moved == 0)
        else:
            churn = other_path / max(kept, 1)
            yield Row(f"{where}, code churn", churn, "share", f"rebuild, {kept:,} items stayed")


def moved_codes(old: pa.Table, new: pa.Table) -> tuple[int, int, int]:
    """Items of both tables whose path or slot differs, those whose path does, and items of both.

    Args:
        old: rows of `codes` of one tree.
        new: the same of a later day.
    """
    columns = ["item_id", "path", "slot"]
    both = old.select(columns).to_pandas().merge(new.select(columns).to_pandas(), on="item_id")
    paths = both["path_x"].map(tuple) != both["path_y"].map(tuple)
    moved = paths | (both["slot_x"] != both["slot_y"])
    return int(moved.sum()), int(paths.sum()), len(both)


def hit_rows(day: date, metrics: pa.Table) -> Iterator[Row]:
    """Yield the hit rate of each model on a day.

    Args:
        day: of the metrics.
        metrics: rows of `metrics` that `evaluate_models` wrote.
    """
    reported = {"metric": "hit_rate", "cutoff": CUTOFF, "segment": "all"}
    rows = [
        row
        for row in sorted(metrics.to_pylist(), key=lambda row: str(row["model"]))
        if row["model"] in MODELS and reported.items() <= row.items()
    ]
    for row in rows:
        yield Row(f"{day}, HR@{CUTOFF}, {row['model']}", row["value"], "share")
    yield Row(f"{day}, evaluated", float(max((row["support"] for row in rows), default=0)), "users")


def _run_marketplace(home: Path) -> None:
    installation = Installation(home=home, port=int(remembered_port(home)))
    days = f"{LAST - timedelta(days=COUNT - 1)}..{LAST}"
    run_days(installation, RunRequest(source="marketplace", data=None, days=days, size=None))
    stop_airflow(installation)


PARTS = {"ten-days": measure_ten_days}
DATA_PARTS = tuple(PARTS)
"""The folder is a home."""
