"""Archive of Spark's classes: written once, used where it exists, never required."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.local import class_archive
from infra.local.class_archive import prepare_class_archive, shared_classes


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "classes.jsa"
    monkeypatch.setattr(class_archive, "ARCHIVE", file)
    return file


@pytest.fixture
def rehearsals(archive: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Options of every rehearsal that was asked for; it leaves an archive."""
    asked: list[str] = []

    def run(_: object, *, purpose: str, **environment: str) -> str:
        asked.append(environment["SPARK_SUBMIT_OPTS"])
        archive.write_text(purpose)
        return ""

    monkeypatch.setattr(class_archive, "run", run)
    monkeypatch.setattr(class_archive, "describe_archive_of_java", lambda: (True, "17.0.15"))
    monkeypatch.delenv("SPARK_SUBMIT_OPTS", raising=False)
    return asked


def test_classes_are_archived_once(rehearsals: list[str], archive: Path) -> None:
    assert prepare_class_archive().new
    assert not prepare_class_archive().new
    assert [re.search(r'ArchiveClassesAtExit="(\S+)"', asked)[1] for asked in rehearsals] == [
        str(archive)
    ]


def test_another_java_gets_its_own_archive(
    rehearsals: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_class_archive()
    monkeypatch.setattr(class_archive, "describe_archive_of_java", lambda: (True, "17.0.16"))
    assert prepare_class_archive().new
    monkeypatch.setattr(class_archive, "JAVA_HOME", tmp_path / "another")
    assert prepare_class_archive().new
    assert len(rehearsals) == 3


def test_an_archive_that_was_deleted_is_made_again(rehearsals: list[str], archive: Path) -> None:
    prepare_class_archive()
    archive.unlink()
    assert prepare_class_archive().new
    assert len(rehearsals) == 2


def test_a_java_that_cannot_archive_classes_is_not_asked_again(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_archive, "run", fail)
    monkeypatch.setattr(class_archive, "JAVA_HOME", small_runtime(tmp_path))
    for _ in range(2):
        step = prepare_class_archive()
        assert "no archive" in step.said
        assert not step.new
    assert shared_classes() == {}


def fail(*_: object, **__: object) -> str:
    raise AssertionError("Java would not start")


def small_runtime(folder: Path) -> Path:
    """A Java that cannot share classes: it fails if sharing is required."""
    java = folder / "runtime" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text('#!/bin/sh\ntest "$1" != -Xshare:on\n', encoding="utf-8")
    java.chmod(0o755)
    return java.parents[1]


def test_drivers_get_an_archive_only_if_it_exists(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_SUBMIT_OPTS", "-Dproxy=mine")
    assert shared_classes() == {}
    archive.write_text("")
    options = shared_classes()["SPARK_SUBMIT_OPTS"]
    assert options.startswith(f'-Dproxy=mine -XX:SharedArchiveFile="{archive}"')
    monkeypatch.setenv("SPARK_SUBMIT_OPTS", options)
    assert shared_classes() == {}
