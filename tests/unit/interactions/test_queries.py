"""How often keywords were searched and clicked."""

from __future__ import annotations

from datetime import date

import pytest
from pyspark.sql import SparkSession

from grove.interactions.queries import count_queries

pytestmark = pytest.mark.spark

DAY = date(2026, 11, 19)


def test_searches_are_pages_where_there_are_pages(spark: SparkSession) -> None:
    rows = [
        (DAY, "mug", "p1", "impression"),
        (DAY, "mug", "p1", "impression"),
        (DAY, "mug", "p1", "click"),
        (DAY, "mug", "p2", "impression"),
        (DAY, "cup", None, "click"),
        (DAY, "cup", None, "order"),
        (DAY, None, "p3", "click"),
    ]
    frame = spark.createDataFrame(rows, "day date, query string, page_id string, event_type string")
    found = {
        row["query"]: (row["searches"], row["clicks"]) for row in count_queries(frame).collect()
    }
    assert found == {"mug": (2, 1), "cup": (2, 1)}
