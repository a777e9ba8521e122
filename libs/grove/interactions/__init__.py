"""Ingest of landed rows into clean tables: sum up, drop duplicates, split.

Every function takes and returns Spark DataFrames and writes nothing.
"""

from grove.interactions.counts import FeedCounts
from grove.interactions.ingest import Earlier, Ingested, ingest_feeds
from grove.interactions.landed import LandedFeedFiles
from grove.interactions.parsing import ParsedFeed
from grove.interactions.shape import FeedShape

__all__ = [
    "Earlier",
    "FeedCounts",
    "FeedShape",
    "Ingested",
    "LandedFeedFiles",
    "ParsedFeed",
    "ingest_feeds",
]
