"""Items a training may know: those as of D−1 from scratch, the day's in a warm start."""

from __future__ import annotations

from datetime import timedelta

import pyarrow.parquet as pq
import pytest
from tests.jobs.shop_day import ENCODER, ITEM_COUNT, land_items, land_shop, report

from grove.errors import DataError
from grove.features.vocabulary import load_vocabulary
from grove.stages.model_inputs import prepare_inputs
from grove.training.job_spec import ITEM_TABLE_FILE

NEW_ITEM = f"item{ITEM_COUNT:03d}"


@pytest.fixture
def new_item_day(layout, day):
    """A shop to which an item is added on the day itself."""
    land_shop(layout, day)
    land_items(layout, day, first=0, last=ITEM_COUNT + 1)
    return day


def items_learnt(inputs):
    return pq.read_table(inputs.folder / ITEM_TABLE_FILE)["item_id"].to_pylist()


def test_a_training_from_scratch_excludes_the_days_own_items(new_item_day, layout, tmp_path):
    inputs = prepare_inputs(layout, new_item_day, cut="before", folder=tmp_path)
    assert NEW_ITEM in inputs.item_table["item_id"].to_pylist()
    assert len(items_learnt(inputs)) == ITEM_COUNT
    assert NEW_ITEM not in items_learnt(inputs)
    assert NEW_ITEM not in load_vocabulary(inputs.folder).items


def test_a_warm_start_includes_the_days_own_items(new_item_day, layout, tmp_path):
    first = prepare_inputs(layout, new_item_day, cut="before", folder=tmp_path / "first")
    inputs = prepare_inputs(
        layout, new_item_day, cut="through", folder=tmp_path / "second", warm_start=first.folder
    )
    assert NEW_ITEM in items_learnt(inputs)
    assert NEW_ITEM in load_vocabulary(inputs.folder).items


def test_without_items_before_the_day_there_is_an_error(layout, day, tmp_path):
    land_shop(layout, day + timedelta(days=1))
    report(layout, day, "embed_texts", versions={"encoder": ENCODER})
    with pytest.raises(DataError, match="no item to train on") as refused:
        prepare_inputs(layout, day, cut="before", folder=tmp_path)
    assert str(day - timedelta(days=1)) in str(refused.value)
