"""Reading of landed files: each row typed by its contract, or rejected with a reason.

`files` finds what can be read, `blocks` cuts it, `json_lines`, `csv_rows` and `parquet_rows` read a
block, `values` converts columns, `reasons` rejects rows, and `read` puts these together. Pure
Arrow: the same code runs in the process of a job and in Spark's workers.
"""

from grove.landed.blocks import BLOCK_BYTES, Block, cut_blocks
from grove.landed.files import LandedFile, landed_files
from grove.landed.read import FeedReader, batch_schema, read_table, task_of_blocks
from grove.landed.reasons import REASONS, UNREADABLE, Limits

__all__ = [
    "BLOCK_BYTES",
    "REASONS",
    "UNREADABLE",
    "Block",
    "FeedReader",
    "LandedFile",
    "Limits",
    "batch_schema",
    "cut_blocks",
    "landed_files",
    "read_table",
    "task_of_blocks",
]
