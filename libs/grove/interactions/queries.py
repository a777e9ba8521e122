"""Search keywords of a day, with the number of searches and clicks of each."""

from __future__ import annotations

import pyspark.sql.functions as F  # noqa: N812
from pyspark.sql import DataFrame


def count_queries(interactions: DataFrame) -> DataFrame:
    """Count each day's keywords.

    A search shows a page of items, so searches are distinct pages. For a keyword without pages in
    its events, the events are counted.

    Args:
        interactions: rows of `interactions`, with normalised keywords.

    Returns:
        Columns `day, query, searches, clicks`; one row per day and keyword.
    """
    pages = (
        interactions.where(F.col("query").isNotNull())
        .groupBy("day", "query", "page_id")
        .agg(F.count("*").alias("events"), F.count_if(F.col("event_type") == "click").alias("hits"))
    )
    counted = pages.groupBy("day", "query").agg(
        F.count("page_id").alias("pages"),
        F.sum("events").alias("events"),
        F.sum("hits").alias("clicks"),
    )
    searches = F.when(F.col("pages") > 0, F.col("pages")).otherwise(F.col("events"))
    return counted.select("day", "query", searches.alias("searches"), "clicks")
