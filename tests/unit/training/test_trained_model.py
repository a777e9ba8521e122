"""Metadata of a trained model: its training data and hyper-parameters."""

from __future__ import annotations

from datetime import timedelta

import pytest
import torch
from tests.unit.training.synthetic import (
    DAY,
    OPTIONS,
    histories_of,
    shop_items,
    walks,
    write_shop,
)

from grove.features.model_metadata import read_metadata
from grove.systems.dssm.train import train_dssm_worker
from grove.training.trained_model import landing_days

ITEMS = shop_items(10)


def test_the_metadata_records_what_a_second_training_needs(tmp_path):
    histories = histories_of(walks(6, 4, 10), hours_between=24)
    options = OPTIONS | {"epochs": 1, "temperature": 0.3}
    spec = write_shop(tmp_path, histories, ITEMS, options=options, seed=5, code_version="c1")
    train_dssm_worker(spec.as_json())
    metadata = read_metadata(spec.output_folder)
    assert metadata.options == options
    assert (metadata.seed, metadata.code_version, metadata.workers) == (5, "c1", 1)
    assert metadata.torch_version == torch.__version__
    assert metadata.first_landing_day == f"{DAY - timedelta(days=3):%Y-%m-%d}"
    assert metadata.last_landing_day == metadata.learned_through == f"{DAY:%Y-%m-%d}"


@pytest.mark.parametrize("rows", [[], [[]]])
def test_histories_without_events_have_no_landing_days(tmp_path, rows):
    spec = write_shop(tmp_path, histories_of(rows), ITEMS)
    assert landing_days(spec.files) == (None, None)
