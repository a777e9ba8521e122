"""Landed files → clean tables: parse, refuse with a reason, drop duplicates, split.

Every function takes and gives Spark DataFrames and writes nothing.
"""

from grove.interactions.counts import FeedCounts
from grove.interactions.ingest import Earlier, Ingested, ingest_feeds
from grove.interactions.landed import LandedFiles
from grove.interactions.reasons import REASONS, Limits

__all__ = ["REASONS", "Earlier", "FeedCounts", "Ingested", "LandedFiles", "Limits", "ingest_feeds"]
