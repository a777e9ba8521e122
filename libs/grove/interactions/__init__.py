"""Ingest of landed files into clean tables: parse, reject with a reason, drop duplicates, split.

Every function takes and returns Spark DataFrames and writes nothing.
"""

from grove.interactions.counts import FeedCounts
from grove.interactions.ingest import Earlier, Ingested, ingest_feeds
from grove.interactions.landed import LandedFiles
from grove.interactions.reasons import REASONS, Limits

__all__ = ["REASONS", "Earlier", "FeedCounts", "Ingested", "LandedFiles", "Limits", "ingest_feeds"]
