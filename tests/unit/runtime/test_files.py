"""Small files are whole or absent."""

from __future__ import annotations

import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.errors import SettingsError
from grove.runtime import files
from grove.runtime.files import (
    appears_whole,
    list_files,
    read_json,
    remove_tree,
    require_writable_parent,
    write_json,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(value=st.dictionaries(st.text(), JSON))
def test_json_reads_back_as_it_was_written(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("json") / "deep" / "value.json"
    write_json(path, value)
    assert read_json(path) == value


def test_equal_values_give_equal_bytes(tmp_path):
    write_json(tmp_path / "one", {"a": 1, "b": 2})
    write_json(tmp_path / "two", {"b": 2, "a": 1})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "value.json"
    write_json(path, {"version": 1})

    def fail(_descriptor):
        raise OSError("disk full")

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_json(path, {"version": 2})
    assert read_json(path) == {"version": 1}


def test_a_block_that_fails_leaves_only_the_old_file_listed(tmp_path):
    path = tmp_path / "deep" / "part"
    with appears_whole(path) as beside:
        beside.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="broke off"), appears_whole(path) as beside:
        beside.write_bytes(b"ne")
        raise RuntimeError("broke off")
    assert path.read_bytes() == b"old"
    assert list_files(tmp_path) == [str(path)]


def test_only_objects_are_read(tmp_path):
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(ValueError, match="expected a JSON object"):
        read_json(tmp_path / "list.json")


def test_listing_and_removing(tmp_path):
    for name in ("b/two", "a/one", "a/three.tmp"):
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    folder = tmp_path / "folder"
    assert list_files(folder) == [str(folder / "a" / "one"), str(folder / "b" / "two")]
    remove_tree(folder / "a" / "three.tmp")
    assert not (folder / "a" / "three.tmp").exists()
    remove_tree(folder)
    remove_tree(folder)
    assert list_files(folder) == []


def test_a_folder_that_is_not_writable_is_a_settings_error(tmp_path, monkeypatch):
    target = tmp_path / "new" / "target"
    require_writable_parent(target)
    assert list(target.parent.iterdir()) == []

    def refuse(**asked):
        raise PermissionError(f"no rights in {asked['dir']}")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(SettingsError, match="no rights in") as caught:
        require_writable_parent(target)
    assert caught.value.where == str(target)
