"""export_treebridge: the served generator as programs, once and whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.serving.small_release import DAY, write_small_release

from grove.errors import DataError, SettingsError
from grove.runtime.job import run_job
from grove.serving import open_current_release
from grove.systems.treebridge.exported import load_export
from jobs import export_treebridge


@pytest.fixture
def served(layout):
    write_small_release(Path(layout.releases()))
    return layout


def command(settings_file, target):
    return export_treebridge.parse_arguments(
        ["--settings", str(settings_file), "--to", str(target)]
    )


def test_the_programs_are_those_of_the_served_generator(served, settings_file, tmp_path):
    target = tmp_path / "exports" / str(DAY)
    export_treebridge.run(command(settings_file, target))
    exported = load_export(target)
    model = open_current_release(served.current_pointer()).searcher.model
    levels = {tree: list(model.decoder(tree).level_sizes) for tree in ("llm", "cf")}
    assert exported.manifest["level_sizes"] == levels
    served_version = open_current_release(served.current_pointer()).searcher.inputs.saved.metadata
    assert exported.manifest["model_version"] == served_version.model_version
    names = ("release_id", "encoder", "beam", "fusion", "new_item_bonus")
    ranked = (f"{DAY}.1", "0123456789ab", 4, "sum", 0.0)
    assert tuple(exported.manifest[name] for name in names) == ranked
    assert {"users", "items", "llm.begin", "cf.begin"} <= set(exported.programs)


def test_an_export_is_never_overwritten(served, settings_file, tmp_path):
    arguments = command(settings_file, tmp_path / "export")
    export_treebridge.run(arguments)
    before = {file: file.read_bytes() for file in arguments.to.iterdir()}
    assert run_job(export_treebridge.run, arguments) == DataError.exit_code
    assert {file: file.read_bytes() for file in arguments.to.iterdir()} == before


def test_a_place_where_no_folder_can_be_made_is_reported(served, settings_file, tmp_path):
    (tmp_path / "a_file").touch()
    with pytest.raises(SettingsError, match="name another folder"):
        export_treebridge.run(command(settings_file, tmp_path / "a_file" / "export"))


def test_no_published_release_is_reported(settings_file, layout, tmp_path):
    with pytest.raises(DataError, match="publish a day first"):
        export_treebridge.run(command(settings_file, tmp_path / "export"))
    assert not (tmp_path / "export").exists()
