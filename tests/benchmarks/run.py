"""Run one benchmark by name and write its JSON and its Markdown table.

    python tests/benchmarks/run.py day

A benchmark is a module beside this one with a function `measure() -> Iterator[Row]`. The JSON
goes to `build/benchmarks/<name>.json`, the table to `tests/benchmarks/results/<name>.md`.
A benchmark asserts nothing about seconds: a goal that is missed is shown as missed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build" / "benchmarks"
NOT_BENCHMARKS = {"run"}


@dataclass(frozen=True)
class Row:
    """One measured figure."""

    measure: str
    value: float
    unit: str
    reference: str = ""
    goal: str = ""
    met: bool | None = None


class Benchmark(Protocol):
    """What a benchmark module offers."""

    def measure(self) -> Iterator[Row]:
        """Yield figures as they are measured."""


def names() -> list[str]:
    """Benchmarks that exist, by name."""
    return sorted(
        file.stem
        for file in HERE.glob("*.py")
        if file.stem not in NOT_BENCHMARKS and "def measure() " in file.read_text(encoding="utf-8")
    )


def load(name: str) -> Benchmark:
    """Import one benchmark module by its file."""
    specification = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    if specification is None or specification.loader is None:
        raise SystemExit(f"cannot load {HERE / f'{name}.py'}")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def machine() -> dict[str, str | int]:
    """What the figures were taken on."""
    packages = ("pyspark", "delta-spark", "deltalake", "great-expectations", "torch", "faiss-cpu")
    return {
        "cores": os.cpu_count() or 0,
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


def markdown(name: str, rows: Sequence[Row], about: dict[str, str | int], seconds: float) -> str:
    """Render the committed table of a benchmark."""
    told = ", ".join(f"{key} {value}" for key, value in about.items())
    lines = [
        f"# Benchmark `{name}`",
        "",
        f"`make benchmark NAME={name}` · {seconds:.0f} s · {told}",
        "",
        "| measure | value | unit | reference | goal | met |",
        "|---|--:|---|---|---|---|",
    ]
    verdicts = {True: "yes", False: "no", None: ""}
    lines += [
        f"| {row.measure} | {row.value:.4g} | {row.unit} | {row.reference} | {row.goal}"
        f" | {verdicts[row.met]} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=names())
    name = parser.parse_args(argv).name
    started = time.perf_counter()
    rows: list[Row] = []
    # Benchmarks build rows with their own import of this module, so fields are copied by name.
    for row in load(name).measure():
        rows.append(Row(**asdict(row)))
        sys.stderr.write(f"{row.measure}: {row.value:.4g} {row.unit}\n")
    seconds = time.perf_counter() - started
    about = machine()
    BUILD.mkdir(parents=True, exist_ok=True)
    result = {
        "name": name,
        "command": f"make benchmark NAME={name}",
        "seconds": round(seconds, 1),
        "machine": about,
        "rows": [asdict(row) for row in rows],
    }
    (BUILD / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    table = HERE / "results" / f"{name}.md"
    table.parent.mkdir(exist_ok=True)
    table.write_text(markdown(name, rows, about, seconds), encoding="utf-8")
    sys.stderr.write(f"wrote {table}\n")


if __name__ == "__main__":
    main()
