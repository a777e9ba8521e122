"""Names of the bookkeeping columns of a row between a landed file and a table.

The contracts name the columns of feeds and tables.
"""

from __future__ import annotations

DAY = "day"
"""Day the row landed, from the name of the landing folder."""
FILE = "landed_file"
"""Name of the row's file, without its folder."""
BLOCK = "landed_block"
"""First byte of the part of the file that one task read."""
ROW_ID = "landed_row"
"""Row number, unique in the feed and ascending within a block."""
HEADER_LINES = "landed_header_lines"
"""Lines of the file before its first row: one in CSV, otherwise none."""
DEFECT = "landed_defect"
"""Why the row could not be read with the contract's types; null if it could."""
TEXT = "landed_text"
"""The row as it landed; kept only for rejected rows."""
KEYS = "landed_keys"
"""Field names of the row, for a sample of rows; otherwise null."""
REASON = "landed_reason"
"""Why the row is rejected; null if it is not."""

POSITION = (DAY, FILE, BLOCK, ROW_ID)
"""Position of a row in the landing zone; the order by all four columns is the landing order."""
BOOKKEEPING = (FILE, BLOCK, ROW_ID, HEADER_LINES, DEFECT, TEXT, KEYS, REASON)
"""Columns that no table contains."""
