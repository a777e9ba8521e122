"""Shops of a few hundred searches, and an encoder for them that needs no model."""

from __future__ import annotations

import re
import zlib
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tests.benchmarks.search_data import CLICK_FILE, PRODUCT_FILE

from grove.sources import amazon_reviews

WIDTH = 24
GAMES, NEW_GAMES = 24, 3


class WordCounter:
    """Replaces the text encoder: every word has a direction, a text is the sum of its words."""

    def encode(self, texts: list[str]) -> np.ndarray:
        words = [re.findall(r"\w+", text.lower()) or [text] for text in texts]
        vectors = np.array([sum(map(direction, some)) for some in words], dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def direction(word: str) -> np.ndarray:
    return np.random.default_rng(zlib.crc32(word.encode())).normal(size=WIDTH)


def write_clicks(folder: Path, split_on: date) -> None:
    """Write clicks of users who name a game and click on it; some games come out in the last week.

    Args:
        folder: where the files of Best Buy's data set are written.
        split_on: first day of that week.
    """
    random = np.random.default_rng(3)
    names = [f"Game{game:02} Part{game % 5}" for game in range(GAMES + NEW_GAMES)]
    games = [*random.integers(GAMES, size=300), *range(GAMES + NEW_GAMES)]
    days = [*(-random.integers(1, 60, size=300)), *random.integers(7, size=GAMES + NEW_GAMES)]
    clicks = {
        "user": [f"user{number % 310:03}" for number in range(len(games))],
        "sku": [f"sku{game:02}" for game in games],
        "query": [f" {names[game].upper()}  " for game in games],
        "click_time": [datetime.combine(split_on, time(9)) + timedelta(days=int(d)) for d in days],
    }
    pq.write_table(pa.table(clicks), folder / CLICK_FILE)
    products = {"sku": [f"sku{game:02}" for game in range(1, len(names))], "name": names[1:]}
    pq.write_table(pa.table(products), folder / PRODUCT_FILE)


def write_reviews(folder: Path) -> None:
    """Write reviews of users with six random items each, of sixty in ten categories."""
    random = np.random.default_rng(4)
    reviewed = [random.permutation(60)[:6] for _ in range(80)]
    events = {
        "user_id": [f"user{user:02}" for user in range(80) for _ in range(6)],
        "asin": [f"B{item:02}" for items in reviewed for item in items],
        "timestamp": [86_400 * place for _ in reviewed for place in range(6)],
        "pos": [place for _ in reviewed for place in range(1, 7)],
    }
    pq.write_table(pa.table(events), folder / amazon_reviews.EVENT_FILE)
    items = [
        {
            "asin": f"B{item:02}",
            "title": f"Thing{item}",
            "brand": None,
            "categories": [["Top", f"Shelf{item % 10}"]],
        }
        for item in range(60)
    ]
    pq.write_table(pa.Table.from_pylist(items), folder / amazon_reviews.ITEM_FILE)
