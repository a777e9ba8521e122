from __future__ import annotations

import re
from pathlib import Path

from tests.contracts.sample_rows import as_table, broken_everywhere, valid_rows

from grove.contracts import load_contract
from grove.datasets import QUERIES, USERS
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
    assert "http" not in index
    page = pages[1].read_text(encoding="utf-8")
    assert "query_unique: one row per day, query" in page
    assert "unexpected values found" in page
    assert not list(tmp_path.rglob(".*"))


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
