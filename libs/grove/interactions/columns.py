"""Names of the columns a row carries on its way from a landed file to a table.

The columns of feeds and tables are named by their contracts; these are the others.
"""

from __future__ import annotations

DAY = "day"
"""Day the row landed; the name of the landing folder says it."""
FILE = "landed_file"
"""Name of the file the row came from, without its folder."""
BLOCK = "landed_block"
"""Byte at which the part of the file that one task read begins."""
ROW_ID = "landed_row"
"""Number of the row, unique in the feed and ascending within a block."""
HEADER_LINES = "landed_header_lines"
"""Lines of the file before its first row: one in CSV, else none."""
DEFECT = "landed_defect"
"""Why the row could not be read as the contract says; null where it could."""
TEXT = "landed_text"
"""The row as it landed; kept for refused rows only."""
KEYS = "landed_keys"
"""Names of the row's fields, of a sample of rows; null elsewhere."""
REASON = "landed_reason"
"""Why the row is refused; null where it is not."""

POSITION = (DAY, FILE, BLOCK, ROW_ID)
"""What says where a row landed; ordering by all four is the order of landing."""
BOOKKEEPING = (FILE, BLOCK, ROW_ID, HEADER_LINES, DEFECT, TEXT, KEYS, REASON)
"""Columns that no table keeps."""
