"""The recipe of CONTRIBUTING for a vector model, followed on a copy of the tree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.repository.tree_copy import REPOSITORY, copy_tree, edit, python

pytestmark = pytest.mark.slow

SYSTEM = '''    System(
        name="echo",
        title="A model of the test",
        makes_item_vectors=True,
        shape=("width",),
    ),
)
"""The systems of a day'''
ENCODE = '''"""Item and user vectors of a toy model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa


def load_echo(folder: Path, item_table: pa.Table) -> np.ndarray:
    """Vectors of the items, [N, 8]."""
    return np.random.default_rng(1).normal(size=(len(item_table), 8)).astype(np.float32)


def train_echo_worker(spec: dict[str, object]) -> None:
    """Train nothing."""
'''
MODEL = """

def _load_echo(folder: Path, item_table: pa.Table) -> Encoded:
    vectors = load_echo(folder, item_table)
    return Encoded(
        item_vectors=vectors, users=lambda histories: {"user": vectors[: len(histories)]}
    )


VECTOR_MODELS = {
    "echo": VectorModel(unit_norm=False, train=train_echo_worker, load=_load_echo),
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
from pathlib import Path
import pyarrow as pa
from grove import release
from grove.contracts import load_contract
from grove.datasets import ITEM_VECTORS, SYSTEMS
from grove.settings import Settings
from grove.stages.plan_day import plan_shape
from grove.stages.ranked_lists import _vector_lists
from grove.stages.vector_models import VECTOR_MODELS
items = pa.table({"item_id": ["a", "b", "c"]})
encoded = VECTOR_MODELS["echo"].load(Path("made"), items)
lists = _vector_lists("echo", encoded, items, [[]] * 3, length=2)
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
    "lists": {name: list(rows.shape) for name, rows in lists.items()},
}))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with one more vector model: four files edited, three added."""
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
        "from grove.systems.echo.encode import load_echo, train_echo_worker\n"
        "from grove.systems.stars.encode import load_stars\n",
    )
    edit(copy / "schemas" / "item_vectors.v1.yaml", "[dssm, stars]", "[dssm, stars, echo]")
    (grove / "systems" / "echo").mkdir()
    (grove / "systems" / "echo" / "__init__.py").touch()
    (grove / "systems" / "echo" / "encode.py").write_text(ENCODE, encoding="utf-8")
    (grove / "stages" / "train_echo.py").write_text(STAGE, encoding="utf-8")
    job = (copy / "jobs" / "train_stars.py").read_text(encoding="utf-8")
    renamed = job.replace("train_stars", "train_echo").replace("STARS", "Echo")
    (copy / "jobs" / "train_echo.py").write_text(renamed, encoding="utf-8")
    return copy


def test_everything_that_lists_the_systems_knows_a_new_vector_model(tree: Path) -> None:
    seen = json.loads(python(tree, "-c", SEEN))
    assert seen["task"] == ["echo", "train_echo", "item_vectors", False]
    assert "train_echo" in seen["writers"]
    assert "train_echo.update" in seen["stages"]
    assert seen["candidates"]["echo"] == "train_echo"
    assert seen["shape"]["echo width"] == "64"
    assert seen["settings"]
    assert set(seen["contract"]) == {"dssm", "stars", "echo"}
    assert seen["lists"] == {"echo": [3, 2]}


def test_its_job_takes_the_arguments_of_every_training(tree: Path) -> None:
    shown = python(tree, "jobs/train_echo.py", "--help")
    assert "--pass" in shown
    assert "Train Echo" in shown


def test_the_dag_names_no_system_but_follows_the_table() -> None:
    text = (REPOSITORY / "dags" / "daily_refresh.py").read_text(encoding="utf-8")
    code = text.partition('"""')[2].partition('"""')[2]
    assert code.count("for system in SYSTEMS") == 4
    assert not [name for name in ("dssm", "treebridge", "stars") if name in code]
