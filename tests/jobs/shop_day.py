"""A small shop's tables of one day, as the train jobs and infer_users read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml
from tests.unit.training.synthetic import histories_of, walks

from grove.contracts import arrow_schema, load_contract
from grove.datasets import HISTORIES, INTERACTIONS, ITEMS, TEXT_EMBEDDINGS, Layout
from grove.release.plan import RetrainPlan
from grove.runtime.files import write_json
from grove.runtime.tables import replace_partition
from grove.texts.prompt import item_texts, text_hash

ENCODER = "tiny-0123456789"
ITEM_COUNT = 30
SMALL = {
    "width": 16,
    "layers": 1,
    "heads": 2,
    "dropout": 0.0,
    "epochs": 2,
    "update_epochs": 1,
    "batch_size": 32,
}


def write_small_settings(file: Path, **sections: dict) -> None:
    """Make the models of a settings file small, and replace some sections."""
    settings = yaml.safe_load(file.read_text())
    dssm = {name: value for name, value in SMALL.items() if name not in ("layers", "heads")}
    settings |= {"dssm": dssm, "stars": SMALL, "evaluation": {"holdout_share": 0.3}}
    file.write_text(yaml.safe_dump(settings | sections))


def land_items(
    layout: Layout,
    day: date,
    first: int = 0,
    last: int = ITEM_COUNT,
    *,
    variants: int | None = None,
) -> None:
    """Land items of a day, and the vectors of all texts there are.

    With a number of variants, as many neighbouring items are one product.
    """
    rows = [
        {
            "day": day,
            "item_id": f"item{number:03d}",
            "title": f"Thing {number}",
            "brand": f"Brand {number % 3}",
            "category_path": ["Shop", f"Aisle {number % 4}"],
            "tags": ["oak"],
            "price": float(number),
            "regions": ["north"],
            "first_seen": day,
            "product_id": f"product{number // variants}" if variants else None,
        }
        for number in range(first, last)
    ]
    items = pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(ITEMS)))
    replace_partition(items, layout, ITEMS, {"day": day})
    land_text_vectors(layout, item_texts(items))


def land_text_vectors(layout: Layout, texts: list[str]) -> None:
    """Replace the text vectors by random ones for these texts."""
    vectors = np.random.default_rng(0).normal(size=(len(texts), 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = [
        {"encoder": ENCODER, "text_hash": text_hash(text), "vector": vector.tolist()}
        for text, vector in zip(texts, vectors, strict=True)
    ]
    table = pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(TEXT_EMBEDDINGS)))
    replace_partition(table, layout, TEXT_EMBEDDINGS, {"encoder": ENCODER})


def land_histories(layout: Layout, day: date, users: int = 60) -> None:
    """Both cuts of a day on which every user continues along a ring of items."""
    rows = walks(users, 20, ITEM_COUNT)
    cuts = {
        "before": histories_of([walk[:8] for walk in rows], day - timedelta(days=1), 2),
        "through": histories_of(rows, day, 2),
    }
    for cut, histories in cuts.items():
        count = len(histories)
        table = histories.append_column("day", pa.array([day] * count, pa.date32()))
        table = table.append_column("cut", pa.array([cut] * count))
        replace_partition(table, layout, HISTORIES, {"day": day, "cut": cut})


def land_interactions(
    layout: Layout, day: date, items_of: dict[str, set[str]], kind: str = "click"
) -> None:
    """Events of one kind on a day, by user."""
    at = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    rows = [
        {
            "day": day,
            "event_id": f"{user}-{item}",
            "event_type": kind,
            "user_id": user,
            "item_id": item,
            "event_time": at,
        }
        for user, items in items_of.items()
        for item in sorted(items)
    ]
    table = pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(INTERACTIONS)))
    replace_partition(table, layout, INTERACTIONS, {"day": day})


def plan_notes(day: date, release: str | None = None, **changes: Any) -> dict[str, Any]:
    """Facts of a day's plan: ordinary when there is a release, else a retrain."""
    plan = RetrainPlan(
        kind="ordinary" if release else "retrain",
        reason="the test",
        previous_release=release,
        comparator=release,
        learned_through=day - timedelta(days=1) if release else None,
        rebuild_trees=not release,
        trained_on=day,
        shape={},
    )
    return replace(plan, **changes).as_notes()


def report_weights(layout: Layout, day: date, stage: str, folder: Path) -> None:
    """Write the report of a pass whose weights are in a folder."""
    report(layout, day, stage, artifact=str(folder), notes={"model_version": "0" * 12})


def report(layout: Layout, day: date, stage: str, **content: object) -> None:
    """Write the report of a stage that committed."""
    written = {"status": "committed", "notes": {}, "versions": {}, "artifact": None, **content}
    write_json(layout.report(day, stage), written)


def land_shop(layout: Layout, day: date, *, release: str | None = None) -> None:
    """All tables and reports a train job reads; an ordinary day when there is a release.

    The items landed on D−1: a training from scratch uses no others.
    """
    land_items(layout, day - timedelta(days=1))
    land_histories(layout, day)
    report(layout, day, "plan_day", notes=plan_notes(day, release))
    report(layout, day, "embed_texts", versions={"encoder": ENCODER})
