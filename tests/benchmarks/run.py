"""Run one benchmark by name and write its result as JSON and as a Markdown table.

    python tests/benchmarks/run.py trees --only beauty --data ../data/another_shop

A benchmark is a module beside this one with `PARTS`: functions by name, each of which yields rows.
Every part that ends is kept in `build/benchmarks/<name>/`, so an interrupted run resumes; a run
that has all parts starts from scratch. Its rows replace those of the part in
`tests/benchmarks/results/<name>.json`, from which `<name>.md` is generated; see `rows` and `table`.
With another shop's data the result is `all.json` and `all.md` in
`build/benchmarks/<name>/<folder>/`, and without `--only` the parts in `DATA_PARTS` of the module
run. `--take` copies a part from a folder of ended parts that another checkout measured. A benchmark
asserts nothing about seconds: a goal that is missed is shown as missed. `LEGEND` of the module
explains the terms of its table.
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
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.benchmarks.rows import Row, put_part, read_result, row_as_json, write_result
from tests.benchmarks.table import render_result

from grove.runtime.files import write_text
from grove.training.precision import fast_precision

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
BUILD = HERE.parents[1] / "build" / "benchmarks"
NOT_BENCHMARKS = {"run"}


Part = Callable[[Path | None], Iterator[Row]]
"""Takes a folder of data, none for the part's own, and yields rows as they are measured."""


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
    """The machine and the versions that the figures were measured with."""
    packages = ("pyspark", "delta-spark", "deltalake", "great-expectations", "torch", "faiss-cpu")
    return {
        "cores": os.cpu_count() or 0,
        "processor": platform.processor() or platform.machine(),
        "matmuls": fast_precision("cpu"),
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


def choose(parts: Sequence[str], only: str | None, kept: Path) -> list[str]:
    """Parts to run now: the requested one, else those not kept; all when every one is kept.

    Args:
        parts: names of all parts.
        only: name of the requested part, if any.
        kept: folder of the parts that have ended.
    """
    if only is not None:
        if only not in parts:
            raise SystemExit(f"ONLY={only} is not a part; expected one of {', '.join(parts)}")
        return [only]
    missing = [part for part in parts if not (kept / f"{part}.json").is_file()]
    return missing or list(parts)


def places(name: str, data: Path | None) -> tuple[Path, Path]:
    """Folder of a benchmark's ended parts, and its result; another shop's are separate."""
    if data is None:
        return BUILD / name, RESULTS / f"{name}.json"
    apart = BUILD / name / data.resolve().name
    return apart, apart / "all.json"


def data_parts(module: ModuleType) -> list[str]:
    """Parts that read a given folder; all of them read the same layout.

    Raises:
        SystemExit: the benchmark has none.
    """
    parts = list(getattr(module, "DATA_PARTS", ()))
    if not parts:
        raise SystemExit("this benchmark makes its own data: leave out DATA=")
    return parts


def run_part(part: Part, data: Path | None) -> dict[str, Any]:
    """Run one part and report each figure as it is measured."""
    started = time.perf_counter()
    rows: list[dict[str, Any]] = []
    for row in part(data):
        rows.append(row_as_json(row))
        sys.stderr.write(f"{row.measure}: {row.value:.4g} {row.unit}\n")
    seconds = round(time.perf_counter() - started, 1)
    return {"seconds": seconds, "machine": machine(), "rows": rows}


def take_part(part: str, folder: Path) -> dict[str, Any]:
    """Read a part that another checkout has measured.

    Args:
        part: name of the part.
        folder: of ended parts, the other checkout's `build/benchmarks/<name>`.

    Raises:
        SystemExit: the part has not ended there.
    """
    file = folder / f"{part}.json"
    if not file.is_file():
        raise SystemExit(f"{file} is missing: the part has not ended there")
    taken: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return taken


def record(module: ModuleType, name: str, file: Path, part: str, measured: dict[str, Any]) -> None:
    """Put one part into a result, and generate the table beside it.

    Args:
        module: the benchmark.
        name: of the benchmark.
        file: the result in JSON; the table has the same name.
        part: name of the part.
        measured: its command, seconds, machine and rows.
    """
    result = put_part(read_result(file, name), part, measured, list(module.PARTS))
    write_result(file, result)
    write_text(file.with_suffix(".md"), render_table(module, result))


def render_table(module: ModuleType, result: dict[str, Any]) -> str:
    """The Markdown table of a benchmark's result."""
    legend = getattr(module, "LEGEND", "")
    return render_result(result, parts=list(module.PARTS), legend=legend)


def command(name: str, part: str, data: Path | None) -> str:
    """Command that measures one part again."""
    read = f" DATA={shlex.quote(str(data))}" if data else ""
    return f"make benchmark NAME={name} ONLY={part}{read}"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=names())
    parser.add_argument("--only", help="a single part")
    parser.add_argument("--data", type=Path, help="folder of another shop's data")
    parser.add_argument("--take", type=Path, help="folder of ended parts of another checkout")
    asked = parser.parse_args(argv)
    if asked.data and not asked.data.is_dir():
        raise SystemExit(f"DATA={asked.data} is no folder; give one in the layout the part reads")
    if asked.take and not asked.only:
        raise SystemExit("--take copies one part: name it with --only")
    module = load(asked.name)
    parts: Mapping[str, Part] = module.PARTS
    kept, file = places(asked.name, asked.data)
    readable = data_parts(module) if asked.data and not asked.only else list(parts)
    chosen = choose(readable, asked.only or None, kept)
    kept.mkdir(parents=True, exist_ok=True)
    for part in chosen:
        (kept / f"{part}.json").unlink(missing_ok=True)
    for part in chosen:
        ended = take_part(part, asked.take) if asked.take else run_part(parts[part], asked.data)
        measured = {"command": command(asked.name, part, asked.data), **ended}
        record(module, asked.name, file, part, measured)
        # Last: a part that is not in the result is run again.
        (kept / f"{part}.json").write_text(json.dumps(ended, indent=2) + "\n", encoding="utf-8")
    sys.stderr.write(f"wrote {file} and {file.with_suffix('.md')}\n")


if __name__ == "__main__":
    main()
