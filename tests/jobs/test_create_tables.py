"""Set-up creates every table without a JVM, and a second time changes nothing."""

from __future__ import annotations

from grove.datasets import DATASETS, Layout
from grove.errors import DATA_EXIT_CODE
from grove.runtime.job import run_job
from grove.runtime.tables import table_versions
from jobs.create_tables import parse_arguments, run


def create(settings_file):
    return run_job(run, parse_arguments(["--settings", str(settings_file)]))


def test_every_table_exists_after_one_run_and_after_two(settings, settings_file):
    layout = Layout(settings.home)
    assert create(settings_file) == 0
    versions = table_versions(layout)
    assert set(versions) == set(DATASETS)
    assert create(settings_file) == 0
    assert table_versions(layout) == versions


def test_a_missing_settings_file_is_a_data_error(tmp_path):
    assert create(tmp_path / "nowhere.yaml") == DATA_EXIT_CODE
