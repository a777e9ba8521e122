"""P1: the whole ingest job over a bare Spark read → Delta write of the same files.

Both run in one session, on the same files, in turns, after a small day has warmed them up; the
better of two turns counts. Gates are part of the job; starting the session is part of neither.
"""

from __future__ import annotations

import tempfile
from argparse import Namespace
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
import yaml
from pyspark.sql import SparkSession

from grove.contracts import load_contract, spark_schema
from grove.datasets import FEED_DATASETS, Layout
from grove.runtime.landing import feed_files
from grove.runtime.landing_writer import land_open_day
from grove.runtime.spark_session import open_session
from grove.runtime.tables import create_tables
from grove.settings import load_settings
from grove.sources import FeedFiles
from grove.sources.json_lines import in_files, json_lines
from jobs.ingest_landing import run

DAY = date(2026, 11, 19)
WARM_UP_ROWS = 2_000
TURNS = 2
FILES = 4
BROKEN_SHARE = 0.01
DUPLICATE_SHARE = 0.004
FEEDS = ("events", "catalogue")


def measure_ingest(rows: int) -> dict[str, float]:
    """Measure one day of so many event rows, and a fiftieth as many catalogue rows.

    Returns:
        Seconds and rows per second of the job and of the bare write, and `ratio`, the job's
        seconds over the bare ones.
    """
    with tempfile.TemporaryDirectory(prefix="grove-ingest-") as home:
        settings_file = Path(home) / "settings.yaml"
        settings_file.write_text(yaml.safe_dump({"home": home, "source": {"feeds": list(FEEDS)}}))
        layout, settings = Layout(home), load_settings(settings_file)
        create_tables(layout)
        _land(layout, DAY - timedelta(days=1), WARM_UP_ROWS)
        _land(layout, DAY, rows)
        spark = open_session("grove.benchmark", settings)
        try:
            seconds = _measure(spark, layout, settings_file)
        finally:
            spark.stop()
    return {
        "rows": rows,
        **{f"{name}_seconds": value for name, value in seconds.items()},
        **{f"{name}_rows_per_second": rows / value for name, value in seconds.items()},
        "ratio": seconds["job"] / seconds["bare"],
    }


def _measure(spark: SparkSession, layout: Layout, settings_file: Path) -> dict[str, float]:
    def job(day: date) -> None:
        run(Namespace(day=day, days=(day,), settings=str(settings_file), run_id="benchmark"))

    writers: dict[str, Callable[[date], None]] = {
        "bare": lambda day: _write_bare(spark, layout, day),
        "job": job,
    }
    for writer in writers.values():
        writer(DAY - timedelta(days=1))
    best = dict.fromkeys(writers, float("inf"))
    for _ in range(TURNS):
        for name, writer in writers.items():
            started = perf_counter()
            writer(DAY)
            best[name] = min(best[name], perf_counter() - started)
    return best


def _write_bare(spark: SparkSession, layout: Layout, day: date) -> None:
    """A write without guarantees: the schema is given, and nothing is validated."""
    for feed in FEEDS:
        folder = str(Path(layout.landing_feed(feed, day)).parent)
        schema = spark_schema(load_contract(FEED_DATASETS[feed]))
        read = spark.read.schema(schema).option("basePath", folder)
        rows = read.json(feed_files(layout, feed, day))
        write = rows.write.format("delta").mode("overwrite").partitionBy("day")
        write.option("replaceWhere", f"day = '{day}'").save(f"{layout.home}/bare/{feed}")


def _land(layout: Layout, day: date, rows: int) -> None:
    feeds = {"events": _events(day, rows), "catalogue": _catalogue(day, max(1, rows // 50))}
    content = {
        feed: FeedFiles(
            files=in_files(lines, lines_per_file=-(-len(lines) // FILES)), rows=len(lines)
        )
        for feed, lines in feeds.items()
    }
    land_open_day(layout, day, content)


def _events(day: date, rows: int) -> pa.Array:
    random = np.random.default_rng(rows)
    repeated = int(rows * DUPLICATE_SHARE)
    unique = rows - repeated
    kinds = np.array(["impression", "click", "cart", "order"])
    words = np.array(["red", "blue", "mug", "shoe", "lamp", "case", "für", "large"])
    seconds = random.integers(0, 86_400, unique)
    times = np.datetime64(day, "s") + seconds.astype("timedelta64[s]")
    number = np.arange(unique)
    table = pa.table(
        {
            "event_id": _named("e", random.permutation(unique) + rows * 10),
            "event_type": random.choice(kinds, unique, p=[0.85, 0.1, 0.03, 0.02]),
            "user_id": _named("u", random.integers(0, max(1, rows // 20), unique)),
            "item_id": _named("i", random.integers(0, max(1, rows // 50), unique)),
            "event_time": np.char.add(np.datetime_as_string(times), ".123Z"),
            "session_id": _named("s", number // 20),
            "query": np.char.add(
                np.char.add(random.choice(words, unique), " "), random.choice(words, unique)
            ),
            "page_id": _named("p", number // 10),
            "position": number % 10 + 1,
            "price": random.integers(1, 10_000, unique) / 100,
            "region": random.choice(["north", "south"], unique),
            "device": random.choice(["phone", "desktop"], unique),
            "weather": random.choice(["rain", "sun"], unique),
        }
    )
    lines = json_lines(table).to_numpy(zero_copy_only=False)
    broken = random.random(unique) < BROKEN_SHARE
    lines[broken] = [line[: len(line) // 2] for line in lines[broken]]
    return pa.array(np.concatenate([lines, lines[random.integers(0, unique, repeated)]]))


def _catalogue(day: date, items: int) -> pa.Array:
    number = np.arange(items)
    return json_lines(
        pa.table(
            {
                "item_id": _named("i", number),
                "title": _named("Ceramic mug number ", number),
                "description": _named("Keeps its colour in the dishwasher, model ", number),
                "category_path": [["Home", "Kitchen", f"Aisle {each % 50}"] for each in number],
                "tags": [["red", "gift"]] * items,
                "price": number % 90 + 1.5,
                "regions": [["north", "south"]] * items,
                "first_seen": [str(day)] * items,
            }
        )
    )


def _named(prefix: str, numbers: np.ndarray) -> np.ndarray:
    return np.char.add(prefix, numbers.astype(str))
