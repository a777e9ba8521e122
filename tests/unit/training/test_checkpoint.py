"""Fingerprint of a checkpoint: it covers everything that determines a training's result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.training.synthetic import histories_of, shop_items, walks, write_shop

from grove.training.checkpoint import work_fingerprint
from grove.training.job_spec import ITEM_TABLE_FILE, TrainingSpec

HISTORIES = histories_of(walks(3, 4, 10))


@pytest.fixture
def spec(tmp_path: Path) -> TrainingSpec:
    return write_shop(tmp_path / "inputs", HISTORIES, shop_items(10), code_version="c1")


def fingerprint(spec: TrainingSpec, workers: int = 1) -> str:
    return work_fingerprint(spec, workers=workers)


def test_the_same_work_written_again_is_the_same_work(spec, tmp_path):
    first = fingerprint(spec)
    write_shop(tmp_path / "inputs", HISTORIES, shop_items(10))
    elsewhere = replace(spec, output=str(tmp_path / "2"), checkpoint=str(tmp_path / "state"))
    assert fingerprint(elsewhere) == first


@pytest.mark.parametrize("name", [ITEM_TABLE_FILE, "vocabulary.json", "vocabulary_items.parquet"])
def test_another_content_under_the_same_name_is_other_work(spec, name):
    first = fingerprint(spec)
    file = spec.input_folder / name
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert fingerprint(spec) != first


def test_a_new_input_other_workers_and_other_code_are_other_work(spec):
    others = [
        fingerprint(spec),
        fingerprint(spec, workers=2),
        fingerprint(replace(spec, code_version="c2")),
        fingerprint(replace(spec, seed=1)),
        fingerprint(replace(spec, options={**spec.options, "generations": {"llm": "another"}})),
    ]
    (spec.input_folder / "codes_llm.parquet").write_bytes(b"codes")
    others.append(fingerprint(spec))
    assert len(set(others)) == len(others)
