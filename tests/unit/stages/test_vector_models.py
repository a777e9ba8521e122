"""The functions of the vector models belong to the table of systems, and to the contract."""

from __future__ import annotations

import numpy as np
import pytest

from grove.contracts import load_contract
from grove.datasets import ITEM_VECTORS, SYSTEMS, VECTOR_SYSTEMS
from grove.settings import Settings
from grove.settings.models import TrainingSettings
from grove.stages.plan_day import plan_shape
from grove.stages.vector_models import VECTOR_MODELS, _next_then_general
from grove.systems.stars.user_vectors import UserVectors

NAMES = {system.name for system in VECTOR_SYSTEMS}


def test_every_vector_system_has_its_functions():
    assert set(VECTOR_MODELS) == NAMES


def test_the_contract_of_item_vectors_names_every_vector_system():
    checks = {check.name: check for check in load_contract(ITEM_VECTORS).checks}
    assert set(checks["model_known"].values) == NAMES


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_every_system_has_a_section_with_the_settings_of_its_shape(system):
    section = getattr(Settings(home="/data/shop"), system.name)
    assert isinstance(section, TrainingSettings)
    assert {*system.shape, *system.switches.values()} <= set(type(section).model_fields)


def test_the_shape_of_a_plan_names_what_weights_depend_on():
    shape = plan_shape(Settings(home="/data/shop"), "e0")
    assert shape["encoder"] == "e0"
    assert (shape["dssm width"], shape["stars layers"]) == ("64", "2")
    assert shape["treebridge learns items"] == "True"
    other = Settings(home="/data/shop", treebridge={"item_weight": 0})
    assert plan_shape(other, "e0")["treebridge learns items"] == "False"


def test_lists_of_h_next_come_first_as_they_are_served():
    users = UserVectors(h_gen=np.zeros((1, 2)), h_next=np.ones((1, 2)))
    assert list(_next_then_general(users)) == ["h_next", "h_gen"]
