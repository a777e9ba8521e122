"""The id space of embedding tables and the units of time that features are counted in."""

from __future__ import annotations

PAD = 0
"""Row for "nothing here": padding, or a field without a value."""
UNKNOWN = 1
"""Row for a name that is not in the vocabulary, such as that of a new item."""
FIRST_KNOWN = 2
"""Row of a vocabulary's first name."""
SECONDS_PER_HOUR = 3_600
HOURS_PER_DAY = 24
DAYS_PER_WEEK = 7
SECONDS_PER_DAY = SECONDS_PER_HOUR * HOURS_PER_DAY
RECENCY_BUCKETS = 26
"""Rows of a recency table: 0 nothing, then one bucket per doubling, up to half a year."""
