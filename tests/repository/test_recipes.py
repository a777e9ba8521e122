"""The recipes of CONTRIBUTING, followed on a copy of the tree: source, column, event field."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from deltalake import DeltaTable
from tests.repository.tree_copy import add, copy_tree, edit, python, unnamed_files
from tests.unit.training.synthetic import OPTIONS, histories_of, shop_items, walks, write_shop

from grove.contracts import arrow_schema, load_contract
from grove.datasets import INTERACTIONS, ITEMS, Layout
from grove.runtime.files import read_json
from grove.runtime.landing import feed_files
from grove.runtime.tables import open_table, read_arrow, replace_partition
from grove.systems.dssm.train import train_dssm_worker

pytestmark = pytest.mark.slow

DAY = date(2026, 8, 20)
ORDERS = """order;time;customer;article;price;channel
A17;2026-08-20 08:01:02;u1;mug;4.95;app
A17;2026-08-20 08:01:02;u1;spoon;1.20;
"""
CHANNEL = """
      - name: channel
        logicalType: string
        physicalType: string
        required: false
        description: Part of the shop in which the event happened.
"""
CHANNELS = """                "price": [float(order["price"]) for order in orders],
                "channel": [order["channel"] or None for order in orders],
"""
WRITE = """
import sys
from datetime import date
from pathlib import Path
from infra.local.settings_file import write_settings
day, data, file = sys.argv[1:]
write_settings(Path(file), "corner-shop", first_day=date.fromisoformat(day), data=data, size=None)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the code, the contracts and the environments."""
    return copy_tree(tmp_path / "tree", ("libs", "infra", "jobs", "schemas"))


@pytest.fixture(scope="module")
def shop_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with one more source, whose events have one more column."""
    parts = ("libs", "infra", "jobs", "schemas")
    tree = copy_tree(tmp_path_factory.mktemp("shop") / "tree", parts)
    sources, environments = tree / "libs" / "grove" / "sources", tree / "infra" / "environments"
    shutil.copy(sources / "template.py", sources / "corner_shop.py")
    edit(sources / "corner_shop.py", CHANNELS.partition("\n")[0] + "\n", CHANNELS)
    shutil.copy(environments / "online-retail.yaml", environments / "corner-shop.yaml")
    edit(environments / "corner-shop.yaml", "name: online-retail", "name: corner-shop")
    for name in ("feed_events", "interactions"):
        contract = tree / "schemas" / f"{name}.v1.yaml"
        edit(contract, "      - name: query\n", f"{CHANNEL[1:]}      - name: query\n")
    return tree


@pytest.fixture(scope="module")
def shop(shop_tree: Path) -> Layout:
    """The home of that source after a day has landed and is ingested, by its own jobs."""
    home = shop_tree.parent / "home"
    orders, settings = home / "orders.csv", home / "settings.yaml"
    add(orders, ORDERS)
    python(shop_tree, "-c", WRITE, str(DAY), str(orders), str(settings))
    for job in ("create_tables", "land_source", "ingest_landing"):
        days = () if job == "create_tables" else ("--from", f"{DAY}", "--to", f"{DAY}")
        python(shop_tree, f"jobs/{job}.py", *days, "--settings", str(settings))
    return Layout(str(home))


@pytest.mark.spark
def test_a_source_is_a_module_and_an_environment_file(shop: Layout, shop_tree: Path) -> None:
    lines = [
        line
        for file in feed_files(shop, "events", DAY)
        for line in Path(file).read_text(encoding="utf-8").splitlines()
    ]
    assert len(lines) == 2
    rows = read_arrow(shop, INTERACTIONS, day=DAY).sort_by("item_id").to_pylist()
    assert [(row["event_id"], row["price"]) for row in rows] == [
        ("A17-mug", 4.95),
        ("A17-spoon", 1.2),
    ]
    # A shop without a catalogue: items are derived from its events.
    assert read_arrow(shop, ITEMS, day=DAY)["item_id"].to_pylist() == ["mug", "spoon"]
    assert read_json(shop.report(DAY, "ingest_landing"))["status"] == "committed"
    contracts = {f"schemas/{name}.v1.yaml" for name in ("feed_events", "interactions")}
    assert unnamed_files(shop_tree, "a source") == contracts


@pytest.mark.spark
def test_a_column_that_a_feed_brings_is_an_edit_of_two_contracts(
    shop: Layout, shop_tree: Path
) -> None:
    rows = DeltaTable(shop.table(INTERACTIONS)).to_pyarrow_table().sort_by("item_id")
    assert rows["channel"].to_pylist() == ["app", None]
    source = {"libs/grove/sources/corner_shop.py", "infra/environments/corner-shop.yaml"}
    assert unnamed_files(shop_tree, "a column") == source


COLUMN = """
      - name: colour
        logicalType: string
        physicalType: string
        required: false
        description: Colour of the item.
"""
REPLACE = """
import json, sys
from datetime import date
import pyarrow as pa
from grove.contracts import arrow_schema, load_contract
from grove.datasets import ITEMS, Layout
from grove.runtime.tables import replace_partition
row = json.loads(sys.argv[2])
row |= {name: date.fromisoformat(row[name]) for name in ("day", "first_seen")}
rows = pa.Table.from_pylist([row], schema=arrow_schema(load_contract(ITEMS)))
replace_partition(rows, Layout(sys.argv[1]), ITEMS, {"day": row["day"]})
"""


def test_a_nullable_column_is_an_edit_of_its_contract(tree: Path, layout: Layout) -> None:
    row = {"day": DAY, "item_id": "a", "title": "A", "category_path": ["A"], "tags": []}
    row |= {"regions": [], "first_seen": DAY}
    rows = pa.Table.from_pylist([row], schema=arrow_schema(load_contract(ITEMS)))
    replace_partition(rows, layout, ITEMS, {"day": DAY})
    constraints = open_table(layout, ITEMS).metadata().configuration
    contract = tree / "schemas" / "items.v1.yaml"
    edit(
        contract,
        "    quality:\n      - name: item",
        f"{COLUMN[1:]}    quality:\n      - name: item",
    )
    settings = tree.parent / "widened.yaml"
    settings.write_text(yaml.safe_dump({"home": layout.home}), encoding="utf-8")
    for _ in range(2):
        python(tree, "jobs/create_tables.py", "--settings", str(settings))
    # A stage that sets the column writes it as any other.
    later = row | {"day": DAY + timedelta(days=1), "colour": "red"}
    python(tree, "-c", REPLACE, layout.home, json.dumps(later, default=str))
    found = DeltaTable(layout.table(ITEMS)).to_pyarrow_table().sort_by("day")
    assert found["colour"].to_pylist() == [None, "red"]
    assert found["item_id"].to_pylist() == ["a", "a"]
    assert unnamed_files(tree, "a column") == set()
    assert open_table(layout, ITEMS).metadata().configuration == constraints


ARRAY = """
      - name: pages
        logicalType: array
        physicalType: array<string>
        required: false
        description: Page of each event; empty text for none.
"""
TRAIN = """
import sys
from pathlib import Path
import pyarrow as pa
from tests.unit.training.synthetic import *
from grove.contracts import load_contract
from grove.datasets import HISTORIES
from grove.features.history_files import event_vocabulary
from grove.features.model_folder import read_model
from grove.histories.build import ARRAYS
from grove.systems.dssm.encode import load_dssm
from grove.systems.dssm.train import train_dssm_worker

folder, earlier = Path(sys.argv[1]), Path(sys.argv[2])
items = shop_items()
bare = histories_of(walks(24, 6, len(items)))
pages = pa.array([[f"page{row % 3}" for row in range(6)]] * len(bare), STRINGS)
histories = bare.append_column("pages", pages)
brief = {**OPTIONS, "epochs": 1}


def train(name, histories, **changes):
    spec = write_shop(folder / name, histories, items, options=brief, **changes)
    train_dssm_worker(spec.as_json())
    return read_model(spec.output_folder)


def names(histories):
    pq.write_table(histories, folder / "seen.parquet")
    return event_vocabulary([str(folder / "seen.parquet")]).grow(items["item_id"].to_pylist())


TABLE = "users.context.pages.weight"
assert "pages" in load_contract(HISTORIES).column_names
assert ARRAYS["pages"] == "page_id"
trained = train("fresh", histories, vocabulary=names(histories))
assert trained.weights[TABLE].shape == (5, OPTIONS["width"])
assert trained.weights[TABLE][2:].abs().sum() > 0
assert trained.vocabulary.names("pages") == ("page0", "page1", "page2")
# Histories built before the field existed.
assert (train("bare", bare, vocabulary=names(bare)).weights[TABLE] == 0).all()
# A model trained before: it encodes, and continues without the field.
assert load_dssm(earlier, items).users(histories).shape == (24, OPTIONS["width"])
known = read_model(earlier).vocabulary
continued = train("continued", histories, warm_start=str(earlier), vocabulary=known)
assert TABLE not in continued.weights
"""


def test_an_event_field_is_a_row_of_the_table_and_an_array_of_histories(
    tree: Path, tmp_path: Path
) -> None:
    script, models = tmp_path / "train.py", tmp_path / "models"
    script.write_text(TRAIN, encoding="utf-8")
    models.mkdir()
    items, options = shop_items(), {**OPTIONS, "epochs": 1}
    histories = histories_of(walks(24, 6, len(items)))
    earlier = write_shop(models / "earlier", histories, items, options=options)
    train_dssm_worker(earlier.as_json())
    edit(
        tree / "libs" / "grove" / "features" / "event_fields.py",
        '    EventField("promotions", "promotion"),\n',
        '    EventField("promotions", "promotion"),\n    EventField("pages", "page_id"),\n',
    )
    contract = tree / "schemas" / "histories.v1.yaml"
    edit(
        contract, "    quality:\n      - name: user", f"{ARRAY[1:]}    quality:\n      - name: user"
    )
    python(tree, str(script), str(models), earlier.output)
    assert unnamed_files(tree, "a categorical field of events") == set()
