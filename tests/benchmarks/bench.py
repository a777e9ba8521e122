"""Models trained on a split by the product's own workers, and kept for the next run.

A model has a folder of its own, named by a fingerprint of everything that decides its weights:
histories, items, codes, options, seed, number of workers, and the training code; the kind of
processor, which decides their rounding, is in its metadata (`precision`). An existing model is not
trained again; a training that was killed resumes after its last complete epoch.
"""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tests.benchmarks.splits import Split
from torch.distributed.launcher import LaunchConfig, elastic_launch

from grove.features.history_files import event_vocabulary
from grove.features.items import item_attributes
from grove.features.vocabulary import save_vocabulary
from grove.runtime.locks import hold_lock
from grove.systems.treebridge.train import codes_file
from grove.training.checkpoint import work_fingerprint
from grove.training.job_spec import ITEM_TABLE_FILE, QUERY_VECTORS_FILE, TrainingSpec

MAX_EVENTS = 50
"""Newest events per user, as published; one user in a hundred has more."""
HISTORIES_FILE = "histories.parquet"
SECONDS_FILE = "seconds.json"
LEARNING_CODE = (
    "grove.baselines.",
    "grove.features.",
    "grove.nn.",
    "grove.systems.",
    "grove.training.",
)
"""Prefixes of the modules that decide a model's weights."""
_DIGITS = 12
_UNFINISHED = ("unfinished", "checkpoint")
WorkerFunction = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A split, and the folder, options, seed and workers of its trainings."""

    split: Split
    folder: Path
    """Keeps models from one run to the next."""
    options: Mapping[str, Mapping[str, Any]]
    """Options of a training, by kind of model: `dssm`, `ease`, `retriever`, `treebridge`."""
    seed: int
    workers: int
    """Processes of one thread each; a single one is this process."""


def trained(
    bench: Bench,
    name: str,
    train: WorkerFunction,
    options: Mapping[str, Any],
    codes: Mapping[str, pa.Table] | None = None,
) -> Path:
    """Train a model, or find the one that was trained on the same inputs.

    Args:
        bench: split and folder.
        name: of the model, in the name of its folder.
        train: function each worker runs.
        options: of the training.
        codes: item_id, path, slot by tree, for a model that generates codes.

    Returns:
        Folder of the finished model.

    Raises:
        InfrastructureError: another benchmark is training in the bench's folder.
    """
    with hold_lock(bench.folder / "training.lock", wait_seconds=0):
        return _trained(bench, name, train, options, codes or {})


def _trained(
    bench: Bench,
    name: str,
    train: WorkerFunction,
    options: Mapping[str, Any],
    codes: Mapping[str, pa.Table],
) -> Path:
    inputs = bench.folder / f"{name}-inputs"
    _write_inputs(bench.split, inputs, codes)
    spec = _spec(bench, inputs, options, code=learning_code(train.__module__))
    model = bench.folder / f"{name}-{work_fingerprint(spec, workers=bench.workers)[:_DIGITS]}"
    if not model.is_dir():
        unfinished, checkpoint = (model.with_name(f"{model.name}.{what}") for what in _UNFINISHED)
        resumed = checkpoint.is_dir()
        sys.stderr.write(f"{'resumes' if resumed else 'trains'} {model}\n")
        started = perf_counter()
        work = replace(spec, output=str(unfinished), checkpoint=str(checkpoint))
        launch(train, work, bench.workers)
        timing = {"seconds": perf_counter() - started, "resumed": resumed}
        (unfinished / SECONDS_FILE).write_text(json.dumps(timing), encoding="utf-8")
        unfinished.rename(model)
    shutil.rmtree(inputs)
    return model


def training_seconds(model: Path) -> float | None:
    """Seconds of a training; none where it was resumed."""
    timing = json.loads((model / SECONDS_FILE).read_text(encoding="utf-8"))
    return None if timing["resumed"] else float(timing["seconds"])


def launch(train: WorkerFunction, spec: TrainingSpec, workers: int) -> None:
    """Run a training in several processes of this machine, as Spark's local mode would."""
    if workers == 1:
        train(spec.as_json())
        return
    here = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=workers,
        run_id=uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
    )
    with _own_signal_handlers():
        elastic_launch(here, train)(spec.as_json())


@contextmanager
def _own_signal_handlers() -> Iterator[None]:
    """Restore the signal handlers of this process, which torch's launcher replaces."""
    ways = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, way in ways.items():
            signal.signal(number, way)


@cache
def learning_code(module: str) -> str:
    """Fingerprint of the code that decides weights: after a change models are trained again.

    Args:
        module: of the function each worker runs; its imports count, and their imports.
    """
    files: dict[str, bytes] = {}
    names = [module]
    while names:
        name = names.pop()
        if name not in files:
            files[name] = Path(str(sys.modules[name].__file__)).read_bytes()
            names += _imported(ast.parse(files[name]))
    code = b"".join(files[name] for name in sorted(files))
    return hashlib.sha256(code).hexdigest()[:_DIGITS]


def _imported(tree: ast.Module) -> Iterator[str]:
    """Modules of `LEARNING_CODE` that a module imports from; all of them are imported by then."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(LEARNING_CODE):
            yield str(node.module)


def _write_inputs(split: Split, folder: Path, codes: Mapping[str, pa.Table]) -> None:
    """Write the inputs of a training; see `grove.stages.model_inputs.prepare_inputs`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    histories = str(folder / HISTORIES_FILE)
    pq.write_table(split.learnt, histories)
    learnt = split.items.filter(pa.array(split.known))
    attributes = [name for names in item_attributes(learnt) for name in names]
    save_vocabulary(
        folder, event_vocabulary([histories]).grow(learnt["item_id"].to_pylist(), attributes)
    )
    pq.write_table(learnt, folder / ITEM_TABLE_FILE)
    if split.query_vectors is not None:
        pq.write_table(split.query_vectors, folder / QUERY_VECTORS_FILE)
    for tree, table in codes.items():
        known = pc.is_in(table["item_id"], value_set=learnt["item_id"].combine_chunks())
        pq.write_table(table.filter(known), folder / codes_file(tree))


def _spec(bench: Bench, inputs: Path, options: Mapping[str, Any], *, code: str) -> TrainingSpec:
    return TrainingSpec(
        files=[str(inputs / HISTORIES_FILE)],
        inputs=str(inputs),
        output="",
        through=pc.max(pc.list_flatten(bench.split.learnt["landed_days"])).as_py().isoformat(),
        learn_repeats=bench.split.seen is None,
        max_events=MAX_EVENTS,
        seed=bench.seed,
        options=dict(options),
        code_version=code,
    )
