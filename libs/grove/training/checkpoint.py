"""State of an unfinished training, kept so that a killed one can be resumed."""

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

from grove.training.job_spec import TrainingSpec

_STATE_FILE = "checkpoint.safetensors"
_PROGRESS_FILE = "checkpoint.json"
_NOT_THE_WORK = ("output", "checkpoint")
_STAGED, _REPLACED = ".tmp", ".old"
_WEIGHTS, _OPTIMIZER = "weights/", "optimizer/"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Folder of a training's state, and the fingerprint of its work."""

    folder: Path
    """Holds at most one state; replaced as a whole after every epoch. While it is replaced, the
    earlier state is beside it under another name."""
    fingerprint: str
    """Of the work; a state of other work is never resumed."""


def work_fingerprint(spec: TrainingSpec, *, workers: int) -> str:
    """Fingerprint of everything that determines a training's result, except hardware and folders.

    The files in the folder of inputs count by content, as they keep their names from day to day.
    Files of histories and the warm start count by name: a table's files and a model folder are
    never rewritten.

    Args:
        spec: of the training.
        workers: processes among which the users are divided.

    Returns:
        64 hex digits.
    """
    work: dict[str, Any] = {
        key: value for key, value in spec.as_json().items() if key not in _NOT_THE_WORK
    }
    work["workers"] = workers
    work["contents"] = {
        file.name: _content_hash(file) for file in spec.input_folder.iterdir() if file.is_file()
    }
    return hashlib.sha256(json.dumps(work, sort_keys=True).encode()).hexdigest()


def save_progress(
    checkpoint: Checkpoint,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    curve: list[float],
) -> None:
    """Write the state after an epoch; a crash at any moment leaves this state or the earlier one.

    A folder cannot be renamed onto another: the earlier state first steps aside, and is removed
    when the new one has its name.

    Args:
        checkpoint: where to.
        model: weights after the epoch.
        optimizer: its moments after the epoch.
        curve: one loss per finished epoch.
    """
    staged, replaced = _beside(checkpoint, _STAGED), _beside(checkpoint, _REPLACED)
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    tensors = {_WEIGHTS + name: value.contiguous() for name, value in model.state_dict().items()}
    save_file({**tensors, **_flat_moments(optimizer)}, staged / _STATE_FILE)
    progress = {"fingerprint": checkpoint.fingerprint, "curve": curve}
    (staged / _PROGRESS_FILE).write_text(json.dumps(progress), encoding="utf-8")
    if checkpoint.folder.is_dir():
        shutil.rmtree(replaced, ignore_errors=True)
        checkpoint.folder.rename(replaced)
    staged.rename(checkpoint.folder)
    shutil.rmtree(replaced, ignore_errors=True)


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
    # The earlier state is used where a crash kept the new one from getting its name.
    folders = (checkpoint.folder, _beside(checkpoint, _REPLACED))
    folder = next((one for one in folders if (one / _PROGRESS_FILE).is_file()), None)
    if folder is None:
        return []
    progress = json.loads((folder / _PROGRESS_FILE).read_text(encoding="utf-8"))
    if progress["fingerprint"] != checkpoint.fingerprint:
        return []
    tensors = load_file(folder / _STATE_FILE)
    model.load_state_dict(_below(tensors, _WEIGHTS))
    _restore_moments(optimizer, _below(tensors, _OPTIMIZER))
    return [float(loss) for loss in progress["curve"]]


def forget_progress(checkpoint: Checkpoint) -> None:
    """Remove the state of a finished training; a crash meanwhile leaves a whole state or none."""
    staged, replaced = _beside(checkpoint, _STAGED), _beside(checkpoint, _REPLACED)
    shutil.rmtree(staged, ignore_errors=True)
    for folder in (replaced, checkpoint.folder):
        if folder.is_dir():
            folder.rename(staged)
            shutil.rmtree(staged)


def _beside(checkpoint: Checkpoint, suffix: str) -> Path:
    return checkpoint.folder.with_name(checkpoint.folder.name + suffix)


def _content_hash(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


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
