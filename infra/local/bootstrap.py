"""Set up a clone: two Python environments, Java, two jars, and the archive of Spark's classes.

    python3 -m infra.local.bootstrap [--quiet]

The first call takes a minute or two, a later one a second: each environment stores the
fingerprint of its locks. An interrupted set-up is detected and repeated. Nothing here needs
root, and no later command needs the network. Standard library only, since it runs before any
environment exists.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from grove.errors import GroveError
from infra.local.class_archive import prepare_class_archive
from infra.local.jars import prepare_jars
from infra.local.java import prepare_java
from infra.local.toolchain import ENVIRONMENTS, REQUIREMENTS, Step, digest, run

PYTHON = "3.11"
"""Version of the locks and the tests; uv finds it, or downloads it."""
LOCKS = {
    "jobs": ("jobs.lock", "develop.lock"),
    "airflow": ("airflow.lock", "airflow-develop.lock"),
}
UNFINISHED = "unfinished"
QUIET = "--quiet"
"""Prints only steps that changed something: every command begins with the set-up."""


def find_uv() -> Path:
    """The installer: from the PATH, or from PyPI in an environment of its own."""
    on_path = shutil.which("uv")
    if on_path:
        return Path(on_path)
    folder = ENVIRONMENTS / "uv"
    program = folder / "bin" / "uv"
    if not program.is_file():
        run([sys.executable, "-m", "venv", "--clear", folder], purpose="make a folder for uv")
        run(
            [
                *(folder / "bin" / "python", "-m", "pip", "install", "--quiet"),
                *("--require-hashes", "--requirement", REQUIREMENTS / "installer.lock"),
            ],
            purpose="install uv",
        )
    return program


def prepare_environment(name: str, uv: Path) -> Step:
    """Bring one Python environment to the state its locks describe.

    Args:
        name: folder below `.venv`, and key of `LOCKS`.
        uv: the installer.

    Returns:
        The step.
    """
    folder = ENVIRONMENTS / name
    locks = [REQUIREMENTS / lock for lock in LOCKS[name]]
    stamp = folder / "made-from"
    wanted = digest(*locks)
    found = stamp.read_text(encoding="utf-8") if stamp.is_file() else None
    python = folder / "bin" / "python"
    if found == wanted and python.is_file():
        return Step(f"{name} environment is up to date", new=False)
    if found == UNFINISHED or not python.is_file():
        run([uv, "venv", "--quiet", "--clear", "--python", PYTHON, folder], purpose=f"make {name}")
    stamp.write_text(UNFINISHED, encoding="utf-8")
    run(
        [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, *locks],
        purpose=f"install the {name} environment",
    )
    stamp.write_text(wanted, encoding="utf-8")
    return Step(f"{name} environment installed", new=True)


def steps() -> Iterator[Step]:
    """Do every step of the set-up, in order."""
    uv = find_uv()
    for name in LOCKS:
        yield prepare_environment(name, uv)
    yield prepare_java(uv)
    yield prepare_jars()
    yield prepare_class_archive()


def main(argv: Sequence[str]) -> int:
    """Run the set-up and print its steps; with `--quiet`, only those that changed something."""
    try:
        for step in steps():
            if step.new or QUIET not in argv:
                print(f"setup: {step.said}", flush=True)
    except GroveError as error:
        print(f"setup failed: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
