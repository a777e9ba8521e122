"""Defaults of the models' sections are those of a training whose options lack them."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from grove.errors import SettingsError
from grove.settings.load import parse_settings
from grove.settings.models import DssmSettings, StarsSettings, TreeBridgeSettings
from grove.systems.dssm.objective import DssmOptions
from grove.systems.stars.objective import StarsOptions
from grove.systems.treebridge.objective import TreeBridgeOptions
from grove.training.options import LoopOptions, SamplingOptions, read_options

SECTIONS = {
    DssmSettings: (DssmOptions(), {"unknown_share"}),
    StarsSettings: (StarsOptions(), {"full_softmax_items", "sampled_items"}),
    TreeBridgeSettings: (TreeBridgeOptions(), set(asdict(SamplingOptions()))),
}
BETWEEN = {"item_weight"}
"""Optional for a training of its own; the section decides otherwise."""


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_and_the_options_agree_on_every_default(section):
    values = section().model_dump()
    objective, sampling = SECTIONS[section]
    loop = asdict(LoopOptions(epochs=0, batch_size=0, learning_rate=0))
    loop = {name: value for name, value in loop.items() if value}
    drawn = {name: asdict(SamplingOptions())[name] for name in sampling}
    for name, value in {**asdict(objective), **loop, **drawn}.items():
        if name not in BETWEEN:
            assert values[name] == value, name


@pytest.mark.parametrize("section", SECTIONS)
def test_every_value_of_a_section_is_passed_as_an_option(section):
    changed = section().model_dump() | {"weight_decay": 0.5, "adam_beta2": 0.5}
    options = read_options(LoopOptions, changed)
    assert (options.weight_decay, options.adam_beta2) == (0.5, 0.5)
    assert options.epochs == section().epochs


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("dssm", {"temperature": 0}),
        ("dssm", {"event_weights": {"order": -1}}),
        ("dssm", {"cuts": 0}),
        ("dssm", {"full_softmax_items": 5}),
        ("stars", {"offset_rate_factor": 1.5}),
        ("stars", {"unknown_share": 0.1}),
        ("treebridge", {"keyword_share": 1.1}),
        ("treebridge", {"unknown_share": 1.0}),
        ("treebridge", {"sampled_items": 0}),
        ("treebridge", {"adam_beta1": 1.0}),
        ("treebridge", {"clip_norm": 0}),
        ("treebridge", {"warm_up_share": 1.0}),
    ],
)
def test_hyper_parameters_out_of_range_are_rejected(section, values):
    ((name, _),) = values.items()
    with pytest.raises(SettingsError, match=f"{section}.{name}"):
        parse_settings({"home": "h", section: values}, where="here")
