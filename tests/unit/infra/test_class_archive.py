"""Spark's classes are kept once, used where they are, and never missed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from infra.local import class_archive
from infra.local.class_archive import prepare_class_archive, shared_classes
from infra.local.toolchain import JAVA_HOME


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
    return asked


def test_classes_are_kept_once(rehearsals: list[str], archive: Path) -> None:
    assert prepare_class_archive().new
    assert not prepare_class_archive().new
    assert [re.search(r"ArchiveClassesAtExit=(\S+)", asked)[1] for asked in rehearsals] == [
        str(archive)
    ]


def test_another_java_keeps_its_own(
    rehearsals: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_class_archive()
    monkeypatch.setattr(class_archive, "keeps_its_own_classes", lambda: True)
    monkeypatch.setattr(class_archive, "JAVA_HOME", tmp_path / "another")
    assert prepare_class_archive().new
    assert len(rehearsals) == 2


def test_a_java_that_cannot_keep_classes_is_not_asked_again(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_archive, "run", fail)
    monkeypatch.setattr(class_archive, "JAVA_HOME", small_runtime(tmp_path))
    assert "not kept" in prepare_class_archive().said
    assert not prepare_class_archive().new
    assert shared_classes() == {}


def fail(*_: object, **__: object) -> str:
    raise AssertionError("Java would refuse to start")


def small_runtime(folder: Path) -> Path:
    """A Java that cannot share classes: told to insist on it, it ends with an error."""
    java = folder / "runtime" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text('#!/bin/sh\ntest "$1" != -Xshare:on\n', encoding="utf-8")
    java.chmod(0o755)
    return java.parents[1]


def test_drivers_are_told_of_an_archive_only_where_there_is_one(archive: Path) -> None:
    assert shared_classes() == {}
    archive.write_text("")
    assert f"-XX:SharedArchiveFile={archive}" in shared_classes()["SPARK_SUBMIT_OPTS"]


def test_java_takes_what_set_up_kept() -> None:
    """Asked to insist on the archive, it starts, and finds Spark's classes in it."""
    kept = shared_classes()
    if not kept:
        assert not class_archive.ARCHIVE.exists()
        return
    options = (f"-XX:SharedArchiveFile={class_archive.ARCHIVE}", "-Xlog:cds=off", "-version")
    answer = subprocess.run(
        [JAVA_HOME / "bin" / "java", *options], capture_output=True, text=True, check=True
    )
    assert "sharing" in answer.stderr
