"""Run one benchmark by name and write its JSON and its Markdown table.

    python tests/benchmarks/run.py trees --only beauty --data ../data/another_shop

A benchmark is a module beside this one with `PARTS`: functions by name, each of which yields rows.
Parts are kept as they end, so a run that broke off goes on where it was; one that has all of them
starts anew. The JSON goes to `build/benchmarks/<name>.json`, and each part's figures to its section
of `tests/benchmarks/results/<name>.md`; see `table`. With another shop's data they are `all.json`
and `all.md` in `build/benchmarks/<name>/<folder>/`, and without `--only` those parts run that can
read it: a module's `DATA_PARTS`. A benchmark asserts nothing about seconds: a goal that is missed
is shown as missed. A module's `LEGEND` stands above its figures.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.benchmarks.table import put_section, render_section

from grove.training.precision import fast_precision

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


Part = Callable[[Path | None], Iterator[Row]]
"""Takes a folder of data, none for the part's own, and yields figures as they are measured."""


def names() -> list[str]:
    """Benchmarks that exist, by name."""
    return sorted(
        file.stem
        for file in HERE.glob("*.py")
        if file.stem not in NOT_BENCHMARKS and "\nPARTS" in file.read_text(encoding="utf-8")
    )


def load(name: str) -> ModuleType:
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
        "products": fast_precision("cpu"),
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


def choose(parts: Sequence[str], only: str | None, kept: Path) -> list[str]:
    """Parts to run now: the one asked for, else those not kept; all when every one is.

    Args:
        parts: names of all parts.
        only: a part's name, if one was asked for.
        kept: folder of the parts that have ended.
    """
    if only is not None:
        if only not in parts:
            raise SystemExit(f"ONLY={only} is no part of it; expected one of {', '.join(parts)}")
        return [only]
    missing = [part for part in parts if not (kept / f"{part}.json").is_file()]
    return missing or list(parts)


def places(name: str, data: Path | None) -> tuple[Path, Path, Path]:
    """Folder of a benchmark's ended parts, its JSON and its table; another shop's lie apart."""
    if data is None:
        return BUILD / name, BUILD / f"{name}.json", HERE / "results" / f"{name}.md"
    apart = BUILD / name / data.resolve().name
    return apart, apart / "all.json", apart / "all.md"


def data_parts(module: ModuleType) -> list[str]:
    """Parts that read a folder they are given; all that do read the same layout.

    Raises:
        SystemExit: the benchmark has none.
    """
    parts = list(getattr(module, "DATA_PARTS", ()))
    if not parts:
        raise SystemExit("this benchmark makes its own data: leave out DATA=")
    return parts


def run_part(part: Part, data: Path | None) -> dict[str, Any]:
    """Run one part, telling each figure as it comes."""
    started = time.perf_counter()
    rows: list[dict[str, Any]] = []
    for row in part(data):
        rows.append(asdict(row))
        sys.stderr.write(f"{row.measure}: {row.value:.4g} {row.unit}\n")
    seconds = round(time.perf_counter() - started, 1)
    return {"seconds": seconds, "machine": machine(), "rows": rows}


def collect(name: str, parts: Sequence[str], kept: Path) -> dict[str, Any]:
    """Everything that is known of a benchmark, in the order of its parts."""
    files = {part: kept / f"{part}.json" for part in parts}
    ended = {
        part: json.loads(file.read_text(encoding="utf-8"))
        for part, file in files.items()
        if file.is_file()
    }
    return {
        "name": name,
        "command": f"make benchmark NAME={name}",
        "seconds": round(sum(part["seconds"] for part in ended.values()), 1),
        "machine": {part: one["machine"] for part, one in ended.items()},
        "not_run": [part for part in parts if part not in ended],
        "rows": [row for part in ended.values() for row in part["rows"]],
    }


def command(name: str, part: str, data: Path | None) -> str:
    """What is typed to measure one part again."""
    read = f" DATA={shlex.quote(str(data))}" if data else ""
    return f"make benchmark NAME={name} ONLY={part}{read}"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=names())
    parser.add_argument("--only", help="a single part")
    parser.add_argument("--data", type=Path, help="folder of another shop's data")
    asked = parser.parse_args(argv)
    if asked.data and not asked.data.is_dir():
        raise SystemExit(f"DATA={asked.data} is no folder; give one in the layout the part reads")
    module = load(asked.name)
    parts: Mapping[str, Part] = module.PARTS
    kept, figures, table = places(asked.name, asked.data)
    readable = data_parts(module) if asked.data and not asked.only else list(parts)
    chosen = choose(readable, asked.only or None, kept)
    kept.mkdir(parents=True, exist_ok=True)
    for part in chosen:
        (kept / f"{part}.json").unlink(missing_ok=True)
    for part in chosen:
        ended = run_part(parts[part], asked.data)
        section = render_section(command(asked.name, part, asked.data), ended)
        legend = getattr(module, "LEGEND", "")
        put_section(table, part, section, name=asked.name, parts=list(parts), legend=legend)
        # Last: a part without its section is run again.
        (kept / f"{part}.json").write_text(json.dumps(ended, indent=2) + "\n", encoding="utf-8")
    result = collect(asked.name, list(parts), kept)
    figures.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.stderr.write(f"wrote {table}\n")


if __name__ == "__main__":
    main()
