"""recommend: prints titles for one user or a few, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.serving.small_release import DAY, write_small_release
from tests.unit.test_plain_text import HOSTILE

from grove.errors import DataError
from grove.plain_text import visible
from grove.stages.recommend import SHOWN_USERS
from jobs import recommend

TEXT_WIDTH = 12
"""Of the text vectors in the small release."""


@pytest.fixture
def served(layout):
    write_small_release(Path(layout.releases()))
    return layout


def command(settings_file, *words):
    return recommend.parse_arguments(["--settings", str(settings_file), *words])


def contents(layout):
    folder = Path(layout.home)
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_user_is_shown_items_with_titles(served, settings_file, capsys):
    before = contents(served)
    recommend.run(command(settings_file, "--user", "user0004", "--k", "4"))
    shown = capsys.readouterr().out
    assert f"user0004, release {DAY}.1" in shown
    assert shown.count("Thing") == 4
    assert contents(served) == before


def test_the_same_list_twice(served, settings_file, capsys):
    recommend.run(command(settings_file, "--user", "user0004"))
    first = capsys.readouterr().out
    recommend.run(command(settings_file, "--user", "user0004"))
    assert capsys.readouterr().out == first


def test_without_a_user_a_few_are_shown(served, settings_file, capsys):
    recommend.run(command(settings_file, "--k", "2"))
    shown = capsys.readouterr().out
    assert shown.count("release") == SHOWN_USERS
    assert shown.count("Thing") == 2 * SHOWN_USERS


def test_an_unknown_user_gets_popular_items(served, settings_file, capsys):
    recommend.run(command(settings_file, "--user", "unknown", "--region", "south"))
    assert capsys.readouterr().out.count("popular") == 10


def test_a_query_starts_the_generator(served, settings_file, capsys, monkeypatch):
    def vector(manifest, query):
        assert manifest.release_id == f"{DAY}.1"
        return np.full(TEXT_WIDTH, len(query), dtype=np.float32) if query.strip() else None

    monkeypatch.setattr("grove.stages.recommend.query_vector", vector)
    shown = []
    for query in ((), ("--query", "red mug"), ("--query", " ")):
        recommend.run(command(settings_file, "--user", "user0004", *query))
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[2] != shown[1]


def test_no_published_release_is_reported(layout, settings_file):
    with pytest.raises(DataError, match="publish a day first"):
        recommend.run(command(settings_file))


@pytest.mark.parametrize("user", HOSTILE[:-1])
def test_a_user_id_is_shown_as_it_is(served, settings_file, capsys, user):
    recommend.run(command(settings_file, f"--user={user}", "--k", "1"))
    shown = capsys.readouterr().out
    wrapped = "".join(visible(user).split())
    assert wrapped in "".join(shown.split())
    assert all(line.isprintable() for line in shown.splitlines())
