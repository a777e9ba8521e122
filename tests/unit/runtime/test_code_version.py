"""The version of the code changes with the code, and with nothing else."""

from __future__ import annotations

import pytest

from grove.runtime.code_version import code_version


@pytest.fixture
def project(tmp_path):
    def make(name, **files):
        root = tmp_path / name
        for path, text in {"jobs/a.py": "1", "libs/grove/b.py": "2", **files}.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return code_version(root)

    return make


def test_equal_code_has_an_equal_version_anywhere(project):
    assert project("here") == project("there")
    assert len(project("here")) == 12


def test_every_change_of_code_changes_the_version(project):
    versions = {
        project("as_it_was"),
        project("changed", **{"jobs/a.py": "9"}),
        project("grown", **{"jobs/c.py": ""}),
        project("contract", **{"schemas/items.v1.yaml": "x"}),
    }
    assert len(versions) == 4


def test_files_other_than_code_are_ignored(project):
    assert project("plain") == project("docs", **{"jobs/notes.md": "x", "tests/t.py": "x"})
