"""The benchmark of keywords on tiny shops: training data of each model, and effect of a keyword."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.benchmarks import bench, keywords, protocol, search_data, shop_data
from tests.benchmarks.bench import Bench
from tests.benchmarks.keywords import query_lookup
from tests.benchmarks.search_data import OPENING, Searches, search_clicks
from tests.benchmarks.shop_data import read_item_table
from tests.benchmarks.splits import Split, leave_one_out
from tests.repository.tiny_searches import (
    GAMES,
    NEW_GAMES,
    WordCounter,
    write_clicks,
    write_reviews,
)
from tests.repository.tiny_shop import EPOCH, item_id, shop_of, tiny_options, walks

from grove.datasets import TREES
from grove.evaluation.metrics import make_targets
from grove.training.job_spec import QUERY_VECTORS_FILE

pytestmark = pytest.mark.slow

OPTIONS = tiny_options(epochs=12, learning_rate=1e-2)
OPTIONS["dssm"]["epochs"] = 1
KEYWORD, BARE = "TreeBridge started by the keyword", "TreeBridge without the keyword"
LISTS = ("popularity", "query look-up", KEYWORD, BARE)
Click = tuple[int, int, int, str]
"""User, item, day, query."""


@pytest.fixture(scope="module", autouse=True)
def words() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shop_data, "load_encoder", lambda _: WordCounter())
        patched.setattr(shop_data, "encoder_fingerprint", lambda _: "words")
        yield


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


def searched(clicks: list[Click], day: int, kept: Path) -> Searches:
    """Searches in a shop of these clicks, in order of user and day."""
    rows = [(f"user{user}", item_id(item), 0, day, "", query) for user, item, day, query in clicks]
    columns = ["user_id", "item_id", "time", "day", "region", "query"]
    shop = replace(shop_of({}), events=pd.DataFrame(rows, columns=columns))
    items = read_item_table(shop, kept)
    return search_clicks(shop, items, kept, split_on=EPOCH + timedelta(days=day))


def targets_of(split: Split, segment: str) -> dict[int, str]:
    """Target item by row of the lists; empty where the split has no such segment."""
    targets, items = split.segments.get(segment, make_targets([], 0)), split.items["item_id"]
    return {
        user: items[item].as_py() for user, item in zip(targets.users, targets.items, strict=True)
    }


some_clicks = st.lists(
    st.tuples(*[st.integers(0, most) for most in (4, 9, 9)], st.sampled_from(["red", "blue", "x"])),
    min_size=1,
    max_size=12,
)


def cut_at(clicks: list[Click], day: int) -> tuple[list[Click], list[Click]]:
    early = [click for click in clicks if click[2] < day]
    return early, [click for click in clicks if click[2] >= day]


def by_user(clicks: list[Click]) -> list[Click]:
    return sorted(clicks, key=lambda click: (click[0], click[2]))


@st.composite
def cut_clicks(draw: st.DrawFn) -> tuple[list[Click], list[Click], int]:
    """Clicks in order of user and day, before a day and from it on, and the day."""
    clicks = by_user(draw(some_clicks))
    day = draw(st.integers(1, 9))
    before, after = cut_at(clicks, day)
    assume(before and after)
    return before, after, day


@settings(max_examples=60)
@given(cut_clicks())
def test_no_part_of_a_held_out_click_is_in_the_training_data(kept, cut):
    before, after, day = cut
    searches = searched(by_user([*before, *after]), day, kept)
    split = searches.split
    earlier = {
        user: [item_id(item) for owner, item, *_ in before if owner == user] for user in range(5)
    }
    typed = {user: [query for owner, *_, query in before if owner == user] for user in range(5)}
    learnt = [user for user in range(5) if earlier[user]]
    assert split.learnt["item_ids"].to_pylist() == [[OPENING, *earlier[user]] for user in learnt]
    assert split.learnt["queries"].to_pylist() == [["", *typed[user]] for user in learnt]
    assert searches.plain.learnt["item_ids"].to_pylist() == [earlier[user] for user in learnt]
    assert split.query_vectors["query"].to_pylist() == sorted({query for *_, query in before})
    assert split.asked["item_ids"].to_pylist() == [[OPENING, *earlier[user]] for user, *_ in after]
    known = {OPENING, *(item for items in earlier.values() for item in items)}
    assert set(np.array(split.items["item_id"].to_pylist())[split.known]) == known


@settings(max_examples=60)
@given(cut_clicks())
def test_every_held_out_click_is_a_target(kept, cut):
    before, after, day = cut
    searches = searched(by_user([*before, *after]), day, kept)
    targets = dict(enumerate(item_id(item) for _, item, *_ in after))
    known, typed = {item_id(item) for _, item, *_ in before}, {query for *_, query in before}
    assert searches.queries == [query for *_, query in after]
    assert np.allclose(searches.vectors, WordCounter().encode(list(searches.queries)))
    assert targets_of(searches.split, "all") == targets
    assert targets_of(searches.split, "new items") == {
        place: item for place, item in targets.items() if item not in known
    }
    assert targets_of(searches.split, "new queries") == {
        place: item for place, item in targets.items() if after[place][3] not in typed
    }


def days_of(table: pa.Table) -> list[list[int]]:
    return [
        [(time.date() - EPOCH).days for time in times] for times in table["event_times"].to_pylist()
    ]


def test_times_are_positions(kept):
    searches = searched([(0, 1, 0, "a"), (0, 2, 5, "b"), (0, 3, 6, "c"), (1, 3, 7, "c")], 6, kept)
    assert days_of(searches.split.learnt) == [[0, 7, 14]]
    assert days_of(searches.split.asked) == [[0, 7, 14], [0]]
    assert searches.split.asked["day"].cast(pa.int32()).to_pylist() == [21, 7]
    assert searches.split.asked_on.tolist() == [6, 7]


def reference_lookup(clicks: list[Click], query: str) -> list[str]:
    """By loops: what the query led to by count, then popularity, then the id."""
    led = Counter(item_id(item) for _, item, _, typed in clicks if typed == query)
    ever = Counter(item_id(item) for _, item, *_ in clicks)
    return sorted(ever, key=lambda item: (-led[item], -ever[item], item))


def test_the_lookup_ranks_by_query_then_popularity(kept):
    random = np.random.default_rng(5)
    numbers = random.integers([9, 10, 10, 4], size=(200, 4)).tolist()
    clicks = [(user, item, day, "abcd"[query]) for user, item, day, query in sorted(numbers)]
    clicks = [click for click in clicks if click[2] < 8 or click[3] != "d"] + [(9, 3, 9, "never")]
    searches = searched(clicks, 8, kept)
    lists = query_lookup(searches).lists["query look-up"]
    names = np.array(searches.plain.items["item_id"].to_pylist())
    learnt, _ = cut_at(clicks, 8)
    assert {"a", "b", "c", "never"} == set(searches.queries)
    for row, query in zip(lists, searches.queries, strict=True):
        assert names[row[row >= 0]].tolist() == reference_lookup(learnt, query)


def test_workers_read_the_vectors_of_training_queries(kept, tmp_path):
    searches = searched([(0, 1, 0, "a"), (0, 2, 1, "b"), (1, 3, 7, "c")], 6, kept)
    bench._write_inputs(searches.split, tmp_path / "searched", {})
    bench._write_inputs(searches.plain, tmp_path / "plain", {})
    written = pq.read_table(tmp_path / "searched" / QUERY_VECTORS_FILE).to_pydict()
    assert written["query"] == ["a", "b"]
    assert np.allclose(written["vector"], WordCounter().encode(["a", "b"]))
    assert not (tmp_path / "plain" / QUERY_VECTORS_FILE).exists()


@pytest.fixture
def tiny_benches(monkeypatch, tmp_path) -> Path:
    """Benches of tiny models in a folder of this test."""

    def open_bench(split: Split, _: object) -> Bench:
        return Bench(split=split, folder=tmp_path / "models", options=OPTIONS, seed=1, workers=1)

    monkeypatch.setattr(keywords, "open_bench", open_bench)
    for module in (keywords, protocol):
        monkeypatch.setattr(module, "HOME", tmp_path)
    return tmp_path


def best_buy(folder: Path, kept: Path) -> Searches:
    shop = search_data.read_clicks(folder)
    items = read_item_table(shop, kept)
    return search_clicks(shop, items, kept, split_on=keywords.BESTBUY_DAY)


def test_a_keyword_finds_what_its_users_clicked(tiny_benches, tmp_path):
    write_clicks(tmp_path, keywords.BESTBUY_DAY)
    rows = {row.measure: row for row in keywords.bestbuy_keywords(tmp_path)}
    where = f"Best Buy from {keywords.BESTBUY_DAY}"
    first, new = (
        {name: rows[f"Q2 {name}, {where}, {what}"].value for name in LISTS}
        for what in ("HR@1", "new items, HR@5")
    )
    assert first["query look-up"] == GAMES / (GAMES + NEW_GAMES)
    assert first[KEYWORD] > 0.5
    assert first[BARE] < 0.2
    # No click has led to a new game yet, but its name shares words with others.
    assert new["query look-up"] == new["popularity"] == 0.0
    assert new[KEYWORD] > new[BARE]
    assert rows[f"Q2 training of {KEYWORD}, {where}, 1 workers"].met
    searches = best_buy(tmp_path, tmp_path)
    lists = keywords.treebridge(keywords.open_bench(searches.plain, OPTIONS), searches).lists
    assert set(lists) == {KEYWORD, BARE, *(f"{KEYWORD}, its {tree} tree" for tree in TREES)}
    everything = np.arange(GAMES + NEW_GAMES)
    assert searches.split.items["item_id"].to_pylist()[len(everything) :] == [OPENING]
    for found in lists.values():
        assert (np.sort(found)[:, -len(everything) :] == everything).all()


def test_a_category_finds_its_items(tiny_benches, tmp_path):
    write_reviews(tmp_path)
    rows = {row.measure: row.value for row in keywords.beauty_keywords(tmp_path)}
    where = f"{tmp_path.name} leave-one-out, test, by category"
    found = {name: rows[f"Q2 {name}, {where}, HR@10"] for name in LISTS}
    assert found["query look-up"] == 1.0
    assert found[KEYWORD] > 0.5
    assert found[BARE] < 0.35
    assert found["popularity"] < 0.35


def test_only_the_training_data_has_categories(kept):
    shop = shop_of(walks())
    items = read_item_table(shop, kept)
    plain = leave_one_out(shop, items, evaluated="test", learn="train", clock="order")
    searches = search_data.search_categories(plain, kept)
    shelf_of = dict(zip(items["item_id"].to_pylist(), items["category"].to_pylist(), strict=True))
    learnt = searches.split.learnt
    assert learnt["item_ids"].equals(plain.learnt["item_ids"])
    assert learnt["queries"].to_pylist() == [
        [shelf_of[item] for item in history] for history in plain.learnt["item_ids"].to_pylist()
    ]
    targets = targets_of(plain, "all")
    assert list(searches.queries) == [shelf_of[targets[user]] for user in range(len(targets))]
    assert set(pc.list_flatten(plain.learnt["queries"]).to_pylist()) == {""}


@pytest.mark.real_data
def test_the_look_up_of_best_buy_has_its_known_figures(
    real_data_folder: Path, tmp_path: Path
) -> None:
    searches = best_buy(real_data_folder / "bestbuy_xbox_search", tmp_path)
    split, targets = searches.plain, searches.plain.segments["all"]
    assert (len(split.items), int((~split.known).sum()), len(split.asked)) == (413, 14, 5_570)
    events = pc.list_value_length(split.asked["item_ids"])
    assert pc.mean(pc.greater(events, 1)).as_py() == pytest.approx(0.0379, abs=1e-4)
    lists = query_lookup(searches).lists["query look-up"]
    found = [measure(lists, targets, cutoff=cutoff) for _, measure, cutoff in keywords.CLICKED]
    assert found == pytest.approx([0.616, 0.874, 0.7245], abs=2e-3)
