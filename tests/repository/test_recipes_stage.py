"""The recipe of CONTRIBUTING for a stage, followed on a copy of the tree."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from deltalake import DeltaTable
from tests.jobs.shop_day import land_items
from tests.repository.tree_copy import (
    AIRFLOW,
    add,
    changed_files,
    copy_tree,
    edit,
    python,
    unnamed_files,
)

from grove.datasets import Layout
from grove.runtime.files import read_json

pytestmark = pytest.mark.slow

PARTS = ("libs", "jobs", "schemas", "dags", "infra", "tests")
FILES = ("pyproject.toml", "README.md", "Makefile")
CONTRACT = """apiVersion: v3.1.0
kind: DataContract
id: grove.tag_counts.v1
name: tag_counts
version: 1.0.0
status: active
domain: recommendation
team:
  name: the test
description:
  purpose: Number of items with each tag.
schema:
  - name: tag_counts
    physicalName: tag_counts_v1
    physicalType: table
    logicalType: object
    description: One tag of a day.
    dataGranularityDescription: one tag of a day
    properties:
      - name: day
        logicalType: date
        physicalType: date
        required: true
        partitioned: true
        partitionKeyPosition: 1
        description: UTC day on which the items landed.
      - name: tag
        logicalType: string
        physicalType: string
        required: true
        description: Tag of the items.
      - name: items
        logicalType: integer
        physicalType: int
        required: true
        description: Items that have the tag.
        customProperties:
          - property: unit
            value: items
        quality:
          - name: items_range
            metric: invalidValues
            arguments: { minimum: 1 }
            mustBe: 0
            severity: error
            dimension: accuracy
    quality:
      - name: tag_unique
        metric: duplicateValues
        arguments: { properties: [day, tag] }
        mustBe: 0
        severity: error
        dimension: uniqueness
slaProperties:
  - property: retention
    value: 30
    unit: d
"""
STAGE = '''"""Number of items with each tag."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa

from grove.contracts import arrow_schema, load_contract
from grove.datasets import ITEMS, TAG_COUNTS
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_arrow


def count_tags(run: StageRun) -> None:
    """Count the tags of the items that landed on the day, validate and commit them."""
    items = read_arrow(run.layout, ITEMS, columns=("tags",), day=run.day)
    counts = Counter(tag for tags in items["tags"].to_pylist() for tag in tags)
    rows = [{"day": run.day, "tag": tag, "items": count} for tag, count in sorted(counts.items())]
    table = pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(TAG_COUNTS)))
    run.report.rows(in_=len(items), out=len(table))
    run.commit(TAG_COUNTS, table, run.validate(TAG_COUNTS, table))
'''
JOB = '''"""Count the items with each tag.

Reads   items of D
Writes  tag_counts of D
Fails   rejects a tag that occurs twice

    python jobs/count_tags.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.count_tags import count_tags


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__), argv)


def run(arguments: Namespace) -> None:
    """Count the tags of the day."""
    with open_stage("count_tags", arguments) as run:
        count_tags(run)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
'''
DATASET = """
TAG_COUNTS = Dataset(name="tag_counts", partition_by=("day",), written_by=("count_tags",))
DATASETS: dict[str, Dataset] = {
"""
GROUP = """    with TaskGroup("tags", tooltip="Number of items with each tag") as tags:
        stage_with_gate("count_tags", "tag_counts")
    with TaskGroup("histories","""
LINE = "| `count_tags` | `stages/count_tags.py` | items | tag_counts |\n| `build_histories` |"
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
DOCUMENTED = """
from pathlib import Path
from grove.contracts import documentation_table
file = Path("schemas/README.md")
head, mark, rest = file.read_text().partition("<!-- datasets -->\\n")
_, end, tail = rest.partition("<!-- end of datasets -->")
file.write_text(head + mark + documentation_table() + "\\n" + end + tail)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with one more stage."""
    copy = copy_tree(tmp_path_factory.mktemp("recipe") / "tree", PARTS + FILES)
    grove = copy / "libs" / "grove"
    add(copy / "jobs" / "count_tags.py", JOB)
    add(grove / "stages" / "count_tags.py", STAGE)
    add(copy / "schemas" / "tag_counts.v1.yaml", CONTRACT)
    edit(grove / "datasets.py", "\nDATASETS: dict[str, Dataset] = {\n", DATASET)
    edit(grove / "datasets.py", "        CODES,\n", "        CODES,\n        TAG_COUNTS,\n")
    release = grove / "release" / "inputs.py"
    edit(release, '    "embed_texts",\n', '    "embed_texts",\n    "count_tags",\n')
    dag = copy / "dags" / "daily_refresh.py"
    edit(dag, '    with TaskGroup("histories",', GROUP)
    edit(dag, "        texts,\n", "        texts,\n        tags,\n")
    edit(copy / "README.md", "| `build_histories` |", LINE)
    python(copy, "-c", DOCUMENTED)
    policy, schemas = copy / "tests/dags/test_policy.py", copy / "tests/contracts/test_schemas.py"
    edit(policy, '*("embed_texts", ', '*("embed_texts", "count_tags", ')
    edit(schemas, "len(CONTRACTS) == 19", "len(CONTRACTS) == 20")
    return copy


@pytest.fixture(scope="module")
def rendered(tree: Path) -> Path:
    """The copy after its commands are recorded; the rules of DAGs hold."""
    tests = ("tests/dags/test_golden_commands.py", "tests/dags/test_policy.py")
    rules = ("-k", "command or golden or gate or only_wires or fails_to_import")
    python(tree, *PYTEST, *tests, *rules, "--update-golden", interpreter=str(AIRFLOW))
    return tree


def test_its_job_validates_and_commits_a_day_twice_with_the_same_rows(
    tree: Path, tmp_path: Path, day
) -> None:
    layout, settings = Layout(str(tmp_path / "home")), tmp_path / "settings.yaml"
    settings.write_text(yaml.safe_dump({"home": layout.home}), encoding="utf-8")
    python(tree, "jobs/create_tables.py", "--settings", str(settings))
    land_items(layout, day, 0, 5)
    words = ("jobs/count_tags.py", "--day", f"{day}", "--settings", str(settings))
    for _ in range(2):
        python(tree, *words)
        found = DeltaTable(f"{layout.home}/tables/tag_counts_v1").to_pyarrow_table().to_pylist()
        assert found == [{"day": day, "tag": "oak", "items": 5}]
    assert read_json(layout.report(day, "count_tags"))["status"] == "committed"
    assert Path(layout.verdict(day, "count_tags", "tag_counts")).is_file()


def test_the_dag_renders_its_task_and_its_gate(rendered: Path) -> None:
    golden = "tests/dags/golden/daily_refresh.tags.count_tags.txt"
    assert "/opt/grove/jobs/count_tags.py\n--day 2026-08-20\n" in (rendered / golden).read_text()
    assert [file for file in changed_files(rendered) if "/golden/" in file] == [golden]


RULES = (
    "tests/repository/test_front_door.py::test_every_job_of_the_day_has_a_line_with_its_module",
    "tests/repository/test_jobs.py",
    "tests/repository/test_budgets.py",
    "tests/contracts",
    *("-m", "not spark and not slow"),
    *("-k", "module or job or budgets or tag_counts or contract_and_every_file or readme"),
)


def test_the_rules_of_the_project_accept_it_and_the_row_names_every_file(
    rendered: Path,
) -> None:
    """The README's line is compared with the golden files."""
    python(rendered, *PYTEST, *RULES)
    assert unnamed_files(rendered, "a stage") == set()
