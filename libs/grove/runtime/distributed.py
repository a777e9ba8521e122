"""Run one function in several torch workers that Spark starts."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from pyspark.ml.torch.distributor import TorchDistributor
from pyspark.sql import SparkSession

from grove.errors import InfrastructureError
from grove.runtime.worker_marks import missing_marks, run_and_mark
from grove.settings import Settings


def run_workers(
    function: Callable[[dict[str, Any]], Any],
    arguments: dict[str, Any],
    settings: Settings,
    spark: SparkSession,
) -> None:
    """Run a function once per worker, with torch's process group described by the environment.

    One worker takes the same path as many, so a laptop exercises what a cluster does. The
    value a worker returns is dropped: in local mode Spark returns that of whichever worker wrote
    last. Workers leave their results in files, the first worker's by convention. What they print
    appears in the driver's log as it comes.

    Args:
        function: importable by name; takes the mapping.
        arguments: plain values a worker can read from JSON.
        settings: number of workers, where they run, whether each has an accelerator.
        spark: session whose executors, or whose driver's machine, run the workers.

    Raises:
        InfrastructureError: a worker failed; its own message is in the log above.
    """
    _flush_every_line()
    workers = settings.distributed
    distributor = TorchDistributor(
        num_processes=workers.processes,
        local_mode=workers.local_mode,
        use_gpu=workers.use_gpu,
    )
    spark.sparkContext.setJobDescription(f"{function.__name__}, {workers.processes} workers")
    where = f"{function.__module__}.{function.__name__}"
    with tempfile.TemporaryDirectory(prefix="grove-workers-") as folder:
        try:
            if workers.local_mode:
                distributor.run(run_and_mark, function, arguments, folder)
            else:
                distributor.run(function, arguments)
        except RuntimeError as error:
            raise _failed(where, workers.processes, str(error)) from error
        # In local mode Spark succeeds as soon as one worker has succeeded.
        missing = missing_marks(folder, workers.processes) if workers.local_mode else []
    if missing:
        raise _failed(where, workers.processes, f"no mark of success of workers {missing}")


def _flush_every_line() -> None:
    """Spark writes workers' lines to standard output, which a pipe would buffer by the block."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def _failed(where: str, processes: int, found: str) -> InfrastructureError:
    return InfrastructureError(
        "a training worker failed",
        where=where,
        expected=f"{processes} workers that end well",
        found=found,
        next_step="read the worker's own message in the log above this one",
    )
