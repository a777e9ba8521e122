from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path

import pytest
from tests.contracts.sample_rows import as_table, broken_everywhere, valid_rows
from tests.unit.test_plain_text import HOSTILE

from grove.contracts import load_contract
from grove.datasets import INTERACTIONS, QUERIES, USERS
from grove.plain_text import visible
from grove.quality import validate_frame


def test_a_day_collects_one_page_per_run_and_keeps_earlier_ones(tmp_path: Path) -> None:
    users, queries = load_contract(USERS), load_contract(QUERIES)
    good = as_table(valid_rows(users, 3), users)
    bad, checks = broken_everywhere(queries)
    for frame, contract in ((good, users), (bad, queries), (good, users)):
        validate_frame(frame, contract, run_name="2026-08-20 test", docs_folder=str(tmp_path))

    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'href="(validations/[^"]+)"', index)
    pages = [tmp_path / link.replace("%20", " ") for link in links]
    assert [page.parts[-4] for page in pages] == ["users", "queries", "users"]
    assert all(page.is_file() for page in pages)
    assert f"<td>{len(queries.checks)}</td><td>{len(checks)}</td>" in index
    assert f"<td>{len(users.checks)}</td><td>0</td>" in index
    assert "://" not in index
    page = pages[1].read_text(encoding="utf-8")
    assert "://" not in page
    assert "query_unique: one row per day, query" in page
    assert "unexpected values found" in page
    assert not list(tmp_path.rglob(".*"))


# Arrow holds no lone surrogate.
@pytest.mark.parametrize("text", [text for text in HOSTILE if "\ud800" not in text])
def test_a_landed_value_is_no_markup_of_a_page(text: str, tmp_path: Path) -> None:
    contract = load_contract(INTERACTIONS)
    rows = [row | {"event_type": text, "event_id": text} for row in valid_rows(contract, 2)]
    table = as_table(rows, contract)
    validate_frame(table, contract, run_name="test", docs_folder=str(tmp_path))
    page = next(tmp_path.glob("validations/**/*.html")).read_text(encoding="utf-8")
    assert f"<td>{escape(visible(text))} (2 times)</td>" in page
    assert not re.search(r"<(script|img|link|iframe|a)\b", page)
    assert "default-src 'none'" in page


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    contract = load_contract(INTERACTIONS)
    rows = [row | {"event_type": "x" * 100_000} for row in valid_rows(contract, 2)]
    validate_frame(as_table(rows, contract), contract, run_name="t", docs_folder=str(tmp_path))
    page = next(tmp_path.glob("validations/**/*.html")).read_text(encoding="utf-8")
    assert f"{'x' * 500}… (100000 long) (2 times)" in page
    assert len(page) < 20_000


def test_nothing_but_pages_is_written(tmp_path: Path) -> None:
    contract = load_contract(USERS)
    table = as_table(valid_rows(contract, 1), contract)
    validate_frame(table, contract, run_name="test", docs_folder=str(tmp_path))
    files = sorted(file.name for file in tmp_path.rglob("*") if file.is_file())
    assert files == ["index.html", "users.html", "users.json"]


def test_pages_of_earlier_code_stay_on_the_index(tmp_path: Path) -> None:
    earlier = tmp_path / "validations" / "items" / "2026-08-20 x" / "1" / "spark-items.html"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("earlier")
    summary = {"dataset": "items", "run": "2026-08-20 x", "time": "2026-08-20 00:00:00.1"}
    summary |= {"checks": 3, "fallen": 1, "page": earlier.relative_to(tmp_path).as_posix()}
    earlier.with_suffix(".json").write_text(json.dumps(summary))
    contract = load_contract(USERS)
    table = as_table(valid_rows(contract, 1), contract)
    validate_frame(table, contract, run_name="test", docs_folder=str(tmp_path))
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'href="validations/items/2026-08-20%20x/1/spark-items.html"' in index


def test_the_index_is_newest_first_also_within_a_second(tmp_path: Path) -> None:
    order = [USERS, QUERIES, USERS, USERS, QUERIES, QUERIES, USERS, QUERIES, USERS]
    for dataset in order:
        contract = load_contract(dataset)
        table = as_table(valid_rows(contract, 1), contract)
        validate_frame(table, contract, run_name="test", docs_folder=str(tmp_path))
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    shown = re.findall(r"validations/(\w+)/", index)
    assert shown == [dataset.name for dataset in reversed(order)]


def test_without_a_folder_nothing_is_written(tmp_path: Path) -> None:
    contract = load_contract(USERS)
    table = as_table(valid_rows(contract, 1), contract)
    validate_frame(table, contract, run_name="test", docs_folder=None)
    assert list(tmp_path.iterdir()) == []
