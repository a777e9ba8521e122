"""Run one function as several torch ranks that Spark starts."""

from __future__ import annotations

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
    """Run a function once per rank, with torch's process group described by the environment.

    One rank goes the same way as many, so a laptop exercises what a cluster does. The
    value a rank returns is dropped: in local mode Spark hands back whichever rank wrote
    last. Ranks leave their results in files, rank 0's by convention.

    Args:
        function: importable by name; takes the mapping.
        arguments: plain values a rank can read from JSON.
        settings: number of ranks, where they run, whether each has an accelerator.
        spark: session whose executors, or whose driver's machine, run the ranks.

    Raises:
        InfrastructureError: a rank failed; its own message is in the log above.
    """
    ranks = settings.distributed
    distributor = TorchDistributor(
        num_processes=ranks.processes,
        local_mode=ranks.local_mode,
        use_gpu=ranks.use_gpu,
    )
    spark.sparkContext.setJobDescription(f"{function.__name__}, {ranks.processes} ranks")
    where = f"{function.__module__}.{function.__name__}"
    with tempfile.TemporaryDirectory(prefix="grove-ranks-") as folder:
        try:
            if ranks.local_mode:
                distributor.run(run_and_mark, function, arguments, folder)
            else:
                distributor.run(function, arguments)
        except RuntimeError as error:
            raise _failed(where, ranks.processes, str(error)) from error
        # In local mode Spark is content when any one rank ended well.
        missing = missing_marks(folder, ranks.processes) if ranks.local_mode else []
    if missing:
        raise _failed(where, ranks.processes, f"no good end of ranks {missing}")


def _failed(where: str, processes: int, found: str) -> InfrastructureError:
    return InfrastructureError(
        "a training rank failed",
        where=where,
        expected=f"{processes} ranks that end well",
        found=found,
        next_step="read the rank's own message in the log above this one",
    )
