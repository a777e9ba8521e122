"""The passes of DSSM: candidate and update."""

from __future__ import annotations

from grove.runtime.stage_run import StageRun
from grove.stages.vector_pass import run_vector_pass


def train_dssm(run: StageRun, training_pass: str) -> None:
    """Train DSSM, or reuse its earlier weights, and commit the vector of every item."""
    run_vector_pass(run, "dssm", training_pass)
