"""Set-up: conditions of each installation, and recovery from an interrupted one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grove.errors import InfrastructureError
from grove.runtime.java import delta_jars
from infra.local import bootstrap, jars, java
from infra.local.bootstrap import UNFINISHED, prepare_environment
from infra.local.java import LAUNCHER, describe_java
from infra.local.toolchain import REPOSITORY, Step

FAKE_UV = """#!/bin/sh
echo "$@" >> {calls}
test -e {broken} && exit 1
test "$1" = venv || exit 0
while [ "$#" -gt 1 ]; do shift; done
mkdir -p "$1/bin"; touch "$1/bin/python"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A uv that only writes down how it was called; it fails while `broken` is there."""
    monkeypatch.setattr(bootstrap, "ENVIRONMENTS", tmp_path / "venv")
    file = tmp_path / "calls"
    uv = tmp_path / "uv"
    uv.write_text(FAKE_UV.format(calls=file, broken=tmp_path / "broken"), encoding="utf-8")
    uv.chmod(0o755)
    return file


def words(calls: Path) -> list[str]:
    """First word of every call."""
    return [line.split()[0] for line in calls.read_text(encoding="utf-8").splitlines()]


def test_an_environment_is_installed_once(calls: Path, tmp_path: Path) -> None:
    installed = Step("jobs environment installed", new=True)
    assert prepare_environment("jobs", tmp_path / "uv") == installed
    up_to_date = Step("jobs environment is up to date", new=False)
    assert prepare_environment("jobs", tmp_path / "uv") == up_to_date
    assert words(calls) == ["venv", "pip"]
    assert "--require-hashes" in calls.read_text(encoding="utf-8")


def test_other_locks_are_synchronised_into_the_same_environment(
    calls: Path, tmp_path: Path
) -> None:
    prepare_environment("jobs", tmp_path / "uv")
    (tmp_path / "venv/jobs/made-from").write_text("other locks", encoding="utf-8")
    prepare_environment("jobs", tmp_path / "uv")
    assert words(calls) == ["venv", "pip", "pip"]


def test_an_interrupted_set_up_is_repeated(calls: Path, tmp_path: Path) -> None:
    prepare_environment("jobs", tmp_path / "uv")
    stamp = tmp_path / "venv/jobs/made-from"
    stamp.write_text("other locks", encoding="utf-8")
    (tmp_path / "broken").touch()
    with pytest.raises(InfrastructureError, match="install the jobs environment"):
        prepare_environment("jobs", tmp_path / "uv")
    assert stamp.read_text(encoding="utf-8") == UNFINISHED
    (tmp_path / "broken").unlink()
    prepare_environment("jobs", tmp_path / "uv")
    assert words(calls)[-2:] == ["venv", "pip"]


def fake_java(file: Path, version: int) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f"#!/bin/sh\necho '    java.home = {file.parent.parent}' >&2\n"
        f"echo '    java.specification.version = {version}' >&2\n",
        encoding="utf-8",
    )
    file.chmod(0o755)
    return file


@pytest.mark.parametrize("version", [17, 21])
def test_a_supported_java_is_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    link = tmp_path / "java-home"
    monkeypatch.setattr(java, "JAVA_HOME", link)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "old"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'new/bin'}:/usr/bin:/bin")
    fake_java(tmp_path / "old/bin/java", 11)
    fake_java(tmp_path / "new/bin/java", version)
    said = f"Java {version} at {tmp_path / 'new'}"
    assert java.prepare_java(tmp_path / "uv") == Step(said, new=True)
    assert link.resolve() == tmp_path / "new"
    assert java.prepare_java(tmp_path / "uv") == Step(said, new=False)


def test_no_java_at_all_is_a_message_with_a_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(java, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(java, "JAVA_HOME", tmp_path / "java-home")
    monkeypatch.setattr(java, "_candidates", list)
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\n", encoding="utf-8")
    uv.chmod(0o755)
    with pytest.raises(InfrastructureError, match="openjdk-17-jre-headless"):
        java.prepare_java(uv)


def test_a_program_that_is_no_java_has_no_version(tmp_path: Path) -> None:
    assert describe_java(str(tmp_path / "absent")) == (0, "")


def test_the_launcher_drops_one_argument_and_keeps_the_others(tmp_path: Path) -> None:
    shown = tmp_path / "show"
    shown.write_text('#!/bin/sh\nfor word do echo "[$word]"; done\n', encoding="utf-8")
    shown.chmod(0o755)
    launcher = tmp_path / "java"
    launcher.write_text(LAUNCHER.format(java=shown), encoding="utf-8")
    launcher.chmod(0o755)
    answer = subprocess.run(
        [launcher, "-Xmx1g", "--add-modules=jdk.incubator.vector", "two words", "-cp", "a:b"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split("\n")[:-1] == ["[-Xmx1g]", "[two words]", "[-cp]", "[a:b]"]


def test_a_wrong_jar_is_rejected_and_the_cache_stays_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROVE_JARS", str(tmp_path / "jars"))

    def fetch_rubbish(scratch: Path) -> None:
        (scratch / "jars").mkdir()
        for name in jars.JARS:
            (scratch / "jars" / f"io.delta_{name}").write_bytes(b"rubbish")

    monkeypatch.setattr(jars, "_resolve", fetch_rubbish)
    with pytest.raises(InfrastructureError, match="not the expected file"):
        jars.prepare_jars()
    assert list((tmp_path / "jars").iterdir()) == []


def test_jobs_look_for_the_jars_where_set_up_puts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in (("GROVE_JARS", str(tmp_path / "jars")), ("HOME", str(tmp_path))):
        monkeypatch.delenv("GROVE_JARS", raising=False)
        monkeypatch.setenv(variable, value)
        jars.jars_folder().mkdir(parents=True)
        for name in jars.JARS:
            (jars.jars_folder() / name).touch()
        assert [Path(jar) for jar in delta_jars()] == [jars.jars_folder() / n for n in jars.JARS]


@pytest.mark.parametrize(
    ("words", "expected"),
    [([], "setup: old\nsetup: fetched\n"), (["--quiet"], "setup: fetched\n")],
)
def test_a_quiet_set_up_prints_changes_only(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    expected: str,
) -> None:
    steps = [Step("old", new=False), Step("fetched", new=True)]
    monkeypatch.setattr(bootstrap, "steps", lambda: iter(steps))
    assert bootstrap.main(words) == 0
    assert capsys.readouterr().out == expected


def test_set_up_needs_nothing_but_the_standard_library() -> None:
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY / 'libs'}:{REPOSITORY}"}
    command = [sys.executable, "-S", "-c", "import infra.local.bootstrap"]
    subprocess.run(command, env=environment, check=True)
