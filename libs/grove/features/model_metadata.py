"""The metadata of a trained model, `model.json`: one record, one reader, one writer."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

METADATA_FILE = "model.json"


@dataclass(frozen=True, kw_only=True)
class ModelMetadata:
    """Record of a training, and the arguments to rebuild its network.

    Every field has a default: folders written by earlier code lack some of them.
    """

    arguments: dict[str, Any] = field(default_factory=dict)
    """Constructor arguments of the network."""
    curve: list[float] = field(default_factory=list)
    """Mean training loss per epoch."""
    learned_through: str | None = None
    """Newest landing day that the weights have been trained on, YYYY-MM-DD."""
    max_events: int = 50
    """Events per user that the model reads, the newest ones."""
    options: dict[str, Any] = field(default_factory=dict)
    """Hyper-parameters of the training, as it received them."""
    precision: str = "fp32"
    """Precision of the largest matmuls of the training."""
    model_version: str = ""
    """Fingerprint of the weights: equal weights have equal versions."""
    seed: int | None = None
    """Seed of everything random in the training."""
    code_version: str = ""
    """Version of the code that trained it."""
    torch_version: str = ""
    """Version of PyTorch."""
    workers: int | None = None
    """Processes among which the users were divided."""
    first_landing_day: str | None = None
    """Oldest landing day in the histories that were read, YYYY-MM-DD."""
    last_landing_day: str | None = None
    """Newest landing day in the histories that were read, YYYY-MM-DD."""

    @property
    def generations(self) -> dict[str, str]:
        """Generation of each tree that the model was trained on; empty for a model of no tree."""
        return dict(self.options.get("generations", {}))

    @property
    def item_weight(self) -> float:
        """λ₃, weight of the item loss; 0 for a model that was trained without it."""
        return float(self.options.get("item_weight", 0))


def read_metadata(folder: Path) -> ModelMetadata:
    """Read `model.json` of a model folder.

    Keys that this version does not know are ignored, keys that are missing get their defaults.

    Args:
        folder: of the model.

    Returns:
        The record.
    """
    content = json.loads((folder / METADATA_FILE).read_text(encoding="utf-8"))
    known = {one.name for one in fields(ModelMetadata)}
    return ModelMetadata(**{key: value for key, value in content.items() if key in known})


def write_metadata(folder: Path, metadata: ModelMetadata) -> None:
    """Write `model.json` into a model folder.

    Args:
        folder: exists.
        metadata: JSON-able.
    """
    content = json.dumps(asdict(metadata), indent=1)
    (folder / METADATA_FILE).write_text(content, encoding="utf-8")
