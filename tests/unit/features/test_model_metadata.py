"""`model.json` is read back as written, and folders written by earlier code still load."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grove.features.model_folder import (
    EARLIER_TRAINED_ITEMS_FILE,
    TRAINED_ITEMS_FILE,
    read_trained_items,
)
from grove.features.model_metadata import ModelMetadata, read_metadata, write_metadata
from grove.features.vocabulary import Vocabulary, save_vocabulary

EARLIER = {
    "arguments": {"width": 8},
    "curve": [2.0, 1.0],
    "learned_through": "2026-11-19",
    "max_events": 20,
    "options": {"generations": {"llm": "aa", "cf": "bb"}},
    "model_version": "0123456789ab",
}


def test_what_is_written_is_read_back(tmp_path):
    metadata = ModelMetadata(**EARLIER, seed=7, workers=2, torch_version="2.0", code_version="c")
    write_metadata(tmp_path, metadata)
    assert read_metadata(tmp_path) == metadata


def test_metadata_of_earlier_code_gets_defaults_for_missing_fields(tmp_path):
    (tmp_path / "model.json").write_text(json.dumps(EARLIER | {"unknown_key": 1}))
    metadata = read_metadata(tmp_path)
    assert metadata == ModelMetadata(**EARLIER)
    assert metadata.generations == {"llm": "aa", "cf": "bb"}
    assert (metadata.item_weight, metadata.precision, metadata.seed) == (0.0, "fp32", None)


@pytest.mark.parametrize("name", [TRAINED_ITEMS_FILE, EARLIER_TRAINED_ITEMS_FILE])
def test_trained_items_are_read_under_both_names(tmp_path, name):
    save_vocabulary(tmp_path, Vocabulary().grow(["a", "b"]))
    pq.write_table(pa.table({"item_id": ["b"]}), tmp_path / name)
    assert read_trained_items(tmp_path).to_pylist() == ["b"]


def test_without_a_file_of_trained_items_the_whole_vocabulary_counts(tmp_path):
    save_vocabulary(tmp_path, Vocabulary().grow(["a", "b"]))
    assert read_trained_items(tmp_path).to_pylist() == ["a", "b"]
