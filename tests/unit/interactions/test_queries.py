"""Keywords: their normal form, and how often they were searched and clicked."""

from __future__ import annotations

import unicodedata
from datetime import date

import pyspark.sql.functions as F  # noqa: N812
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from grove.interactions.queries import count_queries
from grove.interactions.values import normalised_query

pytestmark = pytest.mark.spark

DAY = date(2026, 11, 19)


def reference_normal_form(query: str) -> str | None:
    return " ".join(unicodedata.normalize("NFKC", query).lower().split()) or None


def normal_forms(spark: SparkSession, queries: list[str | None]) -> list[str | None]:
    frame = spark.createDataFrame([(query,) for query in queries], "query string").coalesce(1)
    return [row[0] for row in frame.select(normalised_query(F.col("query"))).collect()]


def test_normal_forms(spark: SparkSession) -> None:
    found = normal_forms(
        spark, ["  Red  MUG\t", "Ｆｕｌｌ　ｗｉｄｔｈ", "ﬁne café", "", "   ", None]
    )
    assert found == ["red mug", "full width", "fine café", None, None, None]


letters = st.text(st.sampled_from(list("aZé ﬀ½Ａ①ñ\t\u0301")), max_size=8)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(letters, min_size=20, max_size=40))
def test_normal_forms_equal_the_reference_implementation(
    spark: SparkSession, queries: list[str]
) -> None:
    assert normal_forms(spark, list(queries)) == [reference_normal_form(each) for each in queries]


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
