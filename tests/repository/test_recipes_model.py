"""The recipe of CONTRIBUTING for a vector model, followed on a copy of the tree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from tests.jobs.shop_day import ITEM_COUNT, land_shop
from tests.repository.tree_copy import REPOSITORY, add, copy_tree, edit, python, unnamed_files

from grove.datasets import ITEM_VECTORS, Layout
from grove.runtime.files import read_json
from grove.runtime.tables import read_arrow

pytestmark = pytest.mark.slow

SYSTEM = '''    System(
        name="echo",
        title="A model of the test",
        makes_item_vectors=True,
        shape=("width",),
    ),
)
"""The systems of a day'''
NETWORK = '''"""A toy model: a user is the last item, an item is its text."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional


class Items(nn.Module):
    """A linear map of the text vector."""

    def __init__(self, width: int, text_width: int) -> None:
        super().__init__()
        self.text = nn.Linear(text_width, width)

    def forward(self, ids: Tensor, attributes: Tensor, text: Tensor) -> Tensor:
        """Encode items, [M, D]."""
        return functional.normalize(self.text(text), dim=-1)


class Echo(nn.Module):
    """The model."""

    def __init__(self, width: int, text_width: int, rows: Mapping[str, int]) -> None:
        super().__init__()
        self.items = Items(width, text_width)
'''
TRAIN = '''"""Training of a toy model: the next item follows the last one."""

from __future__ import annotations

from typing import Any

import torch

from grove.nn.losses import in_batch_softmax_loss
from grove.systems.echo.network import Echo
from grove.training.worker import Objective, train_worker


def train_echo_worker(spec: dict[str, Any]) -> None:
    """Train on this worker's share of the users."""
    train_worker(spec, Echo, _arguments, _objective)


def _arguments(inputs):
    return {"width": inputs.spec.options["width"], "text_width": inputs.features.text.shape[1]}


def _objective(model, inputs, _):
    def encode(rows):
        features = inputs.features
        return model.items(features.ids[rows], features.attributes[rows], features.text[rows])

    def loss_of(batch):
        users = torch.arange(len(batch.lengths))
        last = (batch.lengths - 1).clamp_min(1)
        before, after = batch.item_rows[users, last - 1], batch.item_rows[users, last]
        losses = in_batch_softmax_loss(
            encode(before),
            encode(after),
            items=after,
            log_frequency=torch.zeros(len(after)),
            temperature=0.1,
        )
        return losses.sum(), torch.tensor(float(len(losses)))

    return Objective(loss_of=loss_of)
'''
ENCODE = '''"""Item and user vectors of a toy model."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import torch

from grove.inference.load import DotProductEncoder, last_events, load_network
from grove.systems.echo.network import Echo


def load_echo(folder: Path, item_table: pa.Table) -> DotProductEncoder:
    """Load a model folder and encode the items of a day."""
    model, inputs, vectors = load_network(Echo, folder, item_table)

    def users(batch, history):
        return history[torch.arange(len(history)), last_events(batch)[:, 0]]

    return DotProductEncoder(model=model, inputs=inputs, item_vectors=vectors, user_vectors=users)
'''
MODEL = """

def _load_echo(folder: Path, item_table: pa.Table) -> Encoded:
    encoder = load_echo(folder, item_table)
    return Encoded(
        item_vectors=encoder.item_vectors[1:].numpy(),
        users=lambda histories: {"user": encoder.users(histories)},
    )


VECTOR_MODELS = {
    "echo": VectorModel(unit_norm=True, train=train_echo_worker, load=_load_echo),
"""
STAGE = '''"""The passes of a toy model: candidate and update."""

from __future__ import annotations

from grove.runtime.stage_run import StageRun
from grove.stages.vector_pass import run_vector_pass


def train_echo(run: StageRun, training_pass: str) -> None:
    """Train it, or take over its earlier weights, and commit the vector of every item."""
    run_vector_pass(run, "echo", training_pass)
'''
SEEN = """
import json
import numpy as np
import pyarrow as pa
from grove import release
from grove.contracts import load_contract
from grove.datasets import ITEM_VECTORS, SYSTEMS
from grove.settings import Settings
from grove.stages.encoded import Encoded
from grove.stages.plan_day import plan_shape
from grove.stages.ranked_lists import _vector_lists
from grove.stages.vector_models import VECTOR_MODELS
from grove.systems.treebridge.search import SearchFilters
items, vectors = pa.table({"item_id": ["a", "b", "c"]}), np.eye(3, dtype=np.float32)
encoded = Encoded(item_vectors=vectors, users=lambda rows: {"user": vectors[: len(rows)]})
filters = SearchFilters(excluded=[np.array([], dtype=int)] * 3)
lists = _vector_lists("echo", encoded, items, filters, length=2)
system = {one.name: one for one in SYSTEMS}["echo"]
known = [one for one in load_contract(ITEM_VECTORS).checks if one.name == "model_known"]
print(json.dumps({
    "task": [system.name, system.job, system.output, system.before_trees],
    "writers": ITEM_VECTORS.written_by,
    "stages": release.STAGES,
    "candidates": release.CANDIDATES,
    "shape": plan_shape(Settings(home="/data/shop"), "e0"),
    "settings": "echo" in Settings.model_fields,
    "contract": known[0].values,
    "known": "echo" in VECTOR_MODELS,
    "lists": {name: list(rows.shape) for name, rows in lists.items()},
}))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with one more vector model: four files edited, its own added."""
    copy = copy_tree(tmp_path_factory.mktemp("recipe"), ("libs", "jobs", "schemas"))
    grove = copy / "libs" / "grove"
    edit(grove / "datasets.py", ')\n"""The systems of a day', SYSTEM)
    edit(
        grove / "settings" / "sections.py",
        "    plan: PlanSettings = PlanSettings()\n",
        "    echo: TrainingSettings = TrainingSettings()\n"
        "    plan: PlanSettings = PlanSettings()\n",
    )
    edit(
        grove / "settings" / "sections.py",
        "StarsSettings, TreeBridgeSettings\n",
        "StarsSettings, TrainingSettings, TreeBridgeSettings\n",
    )
    models = grove / "stages" / "vector_models.py"
    edit(models, "\n\nVECTOR_MODELS = {\n", MODEL)
    edit(
        models,
        "from grove.systems.stars.encode import load_stars\n",
        "from grove.systems.echo.encode import load_echo\n"
        "from grove.systems.echo.train import train_echo_worker\n"
        "from grove.systems.stars.encode import load_stars\n",
    )
    edit(copy / "schemas" / "item_vectors.v1.yaml", "[dssm, stars]", "[dssm, stars, echo]")
    system = {"__init__": "", "network": NETWORK, "train": TRAIN, "encode": ENCODE}
    for name, text in system.items():
        add(grove / "systems" / "echo" / f"{name}.py", text)
    add(grove / "stages" / "train_echo.py", STAGE)
    job = (copy / "jobs" / "train_stars.py").read_text(encoding="utf-8")
    renamed = job.replace("train_stars", "train_echo").replace("STARS", "Echo")
    add(copy / "jobs" / "train_echo.py", renamed)
    return copy


def test_everything_that_lists_the_systems_knows_a_new_vector_model(tree: Path) -> None:
    seen = json.loads(python(tree, "-c", SEEN))
    assert seen["task"] == ["echo", "train_echo", "item_vectors", False]
    assert "train_echo" in seen["writers"]
    assert "train_echo.update" in seen["stages"]
    assert seen["candidates"]["echo"] == "train_echo"
    assert seen["shape"]["echo width"] == "64"
    assert seen["settings"]
    assert seen["known"]
    assert set(seen["contract"]) == {"dssm", "stars", "echo"}
    assert seen["lists"] == {"echo": [3, 2]}


def test_its_job_takes_the_arguments_of_every_training(tree: Path) -> None:
    shown = python(tree, "jobs/train_echo.py", "--help")
    assert "--pass" in shown
    assert "Train Echo" in shown


BOTH_PASSES = """
import sys
from grove.runtime.stage_run import StageRun
from grove.stages import training_pass as learning
from jobs import train_echo
learning.run_workers = lambda train, spec, *_: train(spec)
StageRun.spark = lambda _: None
for name in ("candidate", "update"):
    train_echo.run(train_echo.parse_arguments([*sys.argv[1:], "--pass", name]))
"""
"""One process trains: several, as Spark starts them, are tested with the systems."""


def test_it_trains_and_commits_both_passes_of_a_day(tree: Path, tmp_path: Path, day) -> None:
    layout, settings = Layout(str(tmp_path / "home")), tmp_path / "settings.yaml"
    echo = {"width": 16, "epochs": 2, "update_epochs": 1, "batch_size": 32}
    sections = {"home": layout.home, "echo": echo, "evaluation": {"holdout_share": 0.3}}
    settings.write_text(yaml.safe_dump(sections), encoding="utf-8")
    # By the copy: the values that a check allows are constraints of the table.
    python(tree, "jobs/create_tables.py", "--settings", str(settings))
    land_shop(layout, day)
    python(tree, "-c", BOTH_PASSES, "--day", str(day), "--settings", str(settings))
    found = {
        name: read_arrow(layout, ITEM_VECTORS, day=day, model="echo", training_pass=name)
        for name in ("candidate", "update")
    }
    assert [len(rows) for rows in found.values()] == [ITEM_COUNT] * 2
    assert not found["candidate"]["vector"].equals(found["update"]["vector"])
    candidate = read_json(layout.report(day, "train_echo"))
    assert candidate["status"] == "committed"
    assert candidate["notes"]["curve"][-1] < candidate["notes"]["curve"][0]
    assert read_json(layout.report(day, "train_echo.update"))["status"] == "committed"


def test_the_row_of_the_recipe_names_every_file(tree: Path) -> None:
    assert unnamed_files(tree, "a vector model") == set()


def test_the_dag_names_no_system_but_follows_the_table() -> None:
    text = (REPOSITORY / "dags" / "daily_refresh.py").read_text(encoding="utf-8")
    code = text.partition('"""')[2].partition('"""')[2]
    assert code.count("for system in SYSTEMS") == 4
    assert not [name for name in ("dssm", "treebridge", "stars") if name in code]
