"""Files of a release: equal rows give equal bytes, whatever their columns are described as."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from grove.release import Parts, collect_parts


def described(comment: str) -> pa.Table:
    """A row whose columns carry a description, as those of a Delta table do."""
    metadata = {b"comment": comment.encode()}
    fields = [
        pa.field("item_id", pa.string(), nullable=False, metadata=metadata),
        pa.field("path", pa.list_(pa.int32()), metadata=metadata),
    ]
    return pa.Table.from_pylist([{"item_id": "a", "path": [1, 2]}], schema=pa.schema(fields))


def test_a_reworded_description_of_a_column_changes_no_file(tmp_path):
    files = []
    for comment in ("Item placed.", "Item whose codes these are."):
        folder = tmp_path / comment
        folder.mkdir()
        collect_parts(folder, Parts({}, {"codes.parquet": described(comment)}))
        files.append(folder / "codes.parquet")
    assert files[0].read_bytes() == files[1].read_bytes()
    written = pq.read_table(files[0])
    assert written.to_pylist() == [{"item_id": "a", "path": [1, 2]}]
    assert [field.nullable for field in written.schema] == [False, True]
