"""State of an unfinished training, kept so that a killed one goes on where it was."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

_STATE_FILE = "checkpoint.safetensors"
_PROGRESS_FILE = "checkpoint.json"
_NOT_THE_WORK = ("output", "checkpoint")
_WEIGHTS, _OPTIMIZER = "weights/", "optimizer/"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Where a training keeps its state, and whose state it is."""

    folder: Path
    """Holds at most one state; replaced as a whole after every epoch."""
    fingerprint: str
    """Of the work; a state of other work is never resumed."""


def spec_fingerprint(spec: dict[str, Any]) -> str:
    """Fingerprint of a training's specification, without the folders it writes to."""
    work = {key: value for key, value in spec.items() if key not in _NOT_THE_WORK}
    return hashlib.sha256(json.dumps(work, sort_keys=True).encode()).hexdigest()


def save_progress(
    checkpoint: Checkpoint,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    curve: list[float],
) -> None:
    """Write the state after an epoch; a crash while writing leaves the earlier state.

    Args:
        checkpoint: where to.
        model: weights after the epoch.
        optimizer: its moments after the epoch.
        curve: one loss per finished epoch.
    """
    staged = checkpoint.folder.with_name(checkpoint.folder.name + ".tmp")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    tensors = {_WEIGHTS + name: value.contiguous() for name, value in model.state_dict().items()}
    save_file({**tensors, **_flat_moments(optimizer)}, staged / _STATE_FILE)
    progress = {"fingerprint": checkpoint.fingerprint, "curve": curve}
    (staged / _PROGRESS_FILE).write_text(json.dumps(progress), encoding="utf-8")
    shutil.rmtree(checkpoint.folder, ignore_errors=True)
    staged.rename(checkpoint.folder)


def resume_progress(
    checkpoint: Checkpoint, model: nn.Module, optimizer: torch.optim.Optimizer
) -> list[float]:
    """Load the state of the same work, if there is one, into model and optimizer.

    Args:
        checkpoint: where from.
        model: gets the weights.
        optimizer: gets the moments.

    Returns:
        The curve so far, one loss per finished epoch; empty when there is nothing to resume.
    """
    file = checkpoint.folder / _PROGRESS_FILE
    if not file.is_file():
        return []
    progress = json.loads(file.read_text(encoding="utf-8"))
    if progress["fingerprint"] != checkpoint.fingerprint:
        return []
    tensors = load_file(checkpoint.folder / _STATE_FILE)
    model.load_state_dict(_below(tensors, _WEIGHTS))
    _restore_moments(optimizer, _below(tensors, _OPTIMIZER))
    return [float(loss) for loss in progress["curve"]]


def forget_progress(checkpoint: Checkpoint) -> None:
    """Remove the state of a finished training."""
    shutil.rmtree(checkpoint.folder, ignore_errors=True)


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _flat_moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{_OPTIMIZER}{index}/{name}": value.contiguous()
        for index, moments in optimizer.state_dict()["state"].items()
        for name, value in moments.items()
    }


def _restore_moments(optimizer: torch.optim.Optimizer, flat: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in flat.items():
        index, _, name = key.partition("/")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict(
        {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
    )
