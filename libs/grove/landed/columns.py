"""Names of the bookkeeping columns of a row between a landed file and a table.

The contracts name the columns of feeds and tables.
"""

from __future__ import annotations

DAY = "day"
"""Day the row landed, from the name of the landing folder."""
FILE = "landed_file"
"""Path of the row's file, relative to the folder of the day."""
ROW_ID = "landed_row"
"""Row number, unique in the feed; ascending in the order of files, blocks and lines."""
LINE = "landed_line"
"""Line of the file on which the row starts, from 1; in Parquet the number of the row."""
TEXT = "landed_text"
"""The row as it landed; only of rejected rows."""
FIELDS = "landed_fields"
"""Field names found in a batch of rows, in its first row; otherwise null."""
REASON = "landed_reason"
"""Why the row is rejected; null if it is not."""

POSITION = (DAY, FILE, ROW_ID)
"""Position of a row in the landing zone; the order by all three columns is the landing order."""
BOOKKEEPING = (FILE, ROW_ID, LINE, TEXT, FIELDS, REASON)
"""Columns that no table contains."""
