"""The recipes of CONTRIBUTING, followed on a copy of the tree: source, column, event field."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from tests.repository.tree_copy import copy_tree, edit, python
from tests.unit.training.synthetic import OPTIONS, histories_of, shop_items, walks, write_shop

from grove.contracts import arrow_schema, load_contract
from grove.datasets import ITEMS, Layout
from grove.runtime.landing import feed_files
from grove.runtime.tables import create_tables, open_table, read_arrow, replace_partition
from grove.systems.dssm.train import train_dssm_worker

pytestmark = pytest.mark.slow

DAY = date(2026, 8, 20)
ORDERS = """order;time;customer;article;price
A17;2026-08-20 08:01:02;u1;mug;4.95
A17;2026-08-20 08:01:02;u1;spoon;1.20
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the code, the contracts and the environments."""
    return copy_tree(tmp_path / "tree", ("libs", "infra", "jobs", "schemas"))


def test_a_source_is_a_module_and_an_environment_file(tree: Path, tmp_path: Path) -> None:
    sources, environments = tree / "libs" / "grove" / "sources", tree / "infra" / "environments"
    shutil.copy(sources / "template.py", sources / "corner_shop.py")
    shutil.copy(environments / "online-retail.yaml", environments / "corner-shop.yaml")
    edit(environments / "corner-shop.yaml", "name: online-retail", "name: corner-shop")
    orders, settings = tmp_path / "orders.csv", tmp_path / "home" / "settings.yaml"
    orders.write_text(ORDERS, encoding="utf-8")
    settings.parent.mkdir()
    typed = f"first_day=date({DAY.year}, {DAY.month}, {DAY.day}), data={str(orders)!r}, size=None"
    python(
        tree,
        "-c",
        "from datetime import date; from pathlib import Path;"
        " from infra.local.settings_file import write_settings;"
        f" write_settings(Path({str(settings)!r}), 'corner-shop', {typed})",
    )
    create_tables(Layout(str(settings.parent)))
    days = ("--from", f"{DAY}", "--to", f"{DAY}")
    python(tree, "jobs/land_source.py", *days, "--settings", str(settings))
    files = feed_files(Layout(str(settings.parent)), "events", DAY)
    lines = [line for file in files for line in Path(file).read_text().splitlines()]
    assert len(lines) == 2


COLUMN = """
      - name: colour
        logicalType: string
        physicalType: string
        required: false
        description: Colour of the item.
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
    found = read_arrow(layout, ITEMS)
    assert found["colour"].to_pylist() == [None]
    assert found["item_id"].to_pylist() == ["a"]
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
