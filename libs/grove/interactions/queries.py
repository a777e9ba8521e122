"""Interactions → search keywords of a day, with how often each was searched and clicked."""

from __future__ import annotations

import pyspark.sql.functions as F  # noqa: N812
from pyspark.sql import DataFrame


def count_queries(interactions: DataFrame) -> DataFrame:
    """Count each day's keywords.

    A search shows a page of items, so searches are distinct pages; a keyword whose events
    name no page is counted by its events.

    Args:
        interactions: rows of the table of that name, keywords normalised.

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
