"""Sections of the three models: size, training and search."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from grove.settings.section import Section

Epochs = Annotated[
    int,
    Field(ge=1, description="passes over the histories on a retrain day, whose time grows with it"),
]
LearningRate = Annotated[
    float, Field(gt=0, description="peak of the schedule on a retrain day; no effect on run time")
]
LaterEvents = Annotated[
    int, Field(ge=1, description="events after a cut among which the positives are")
]
UnknownShare = Annotated[
    float,
    Field(
        ge=0,
        lt=1,
        description="share of a step's items whose id is hidden, so that text and attributes are"
        " trained for cold-start items; more of it weakens the ids",
    ),
]
FullSoftmaxItems = Annotated[
    int,
    Field(
        ge=1,
        description="catalogue size, in items, up to which the softmax runs over all items; above"
        " it over a sample. Time and memory of a step grow with the items",
    ),
]
SampledItems = Annotated[
    int,
    Field(
        ge=1,
        description="negatives drawn per step for a larger catalogue; more of them take more time"
        " and memory and give a less noisy loss",
    ),
]


def heads_divide_width(heads: int, info: ValidationInfo) -> int:
    """Reject attention heads that do not divide the width."""
    width = info.data.get("width")
    if width is not None and width % heads:
        raise ValueError(f"the heads must divide the width, {width}")
    return heads


class TrainingSettings(Section):
    """Training of one model."""

    width: int = Field(
        64,
        ge=8,
        description="width of the vectors the model compares; weights and index grow with it, and a"
        " change requires a retrain day",
    )
    dropout: float = Field(
        0.1, ge=0, lt=1, description="dropout probability; more of it needs more epochs"
    )
    epochs: Epochs = 12
    update_epochs: int = Field(
        2,
        ge=1,
        description="passes over the new events in every day's update, whose time grows with it",
    )
    batch_size: int = Field(
        64, ge=1, description="users per step and worker; more of them take more memory"
    )
    learning_rate: LearningRate = 2e-3
    update_learning_rate: float = Field(
        3e-4,
        gt=0,
        description="constant rate of the update; a larger one forgets more",
    )
    weight_decay: float = Field(
        5e-3, ge=0, description="weight decay of AdamW; more of it keeps weights smaller"
    )
    clip_norm: float = Field(
        1.0, gt=0, description="largest gradient norm of a step, per parameter group"
    )
    warm_up_share: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="share of the steps of a retrain day in which the learning rate rises",
    )
    adam_beta1: float = Field(
        0.9, ge=0, lt=1, description="decay of AdamW's mean of gradients; 0 averages nothing"
    )
    adam_beta2: float = Field(
        0.95,
        ge=0,
        lt=1,
        description="decay of AdamW's mean of squared gradients; less of it adapts sooner",
    )
    max_drift: float = Field(
        0.5,
        gt=0,
        le=2,
        description="update gate: largest mean cosine distance of item vectors before and after; a"
        " day beyond it stops, and the served release stays",
    )


class DssmSettings(TrainingSettings):
    """DSSM and its in-batch softmax."""

    temperature: float = Field(
        0.15,
        gt=0,
        description="temperature of the cosines in the softmax; no unit, smaller is sharper",
    )
    cuts: int = Field(
        8,
        ge=1,
        description="cuts per history and epoch at which the user vector is trained; the time of a"
        " step grows with them",
    )
    later_events: LaterEvents = 10
    event_weights: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default={"cart": 1.5, "order": 2.0},
        description="weight of a positive by kind of event, 1 for the others; the largest among"
        " the user's events with the item counts",
    )
    unknown_share: UnknownShare = 0.1


class StarsSettings(TrainingSettings):
    """STARS and the weights of its two heads."""

    layers: int = Field(
        2,
        ge=1,
        description="transformer layers; time of training and encoding grows with them, and a"
        " change requires a retrain day",
    )
    heads: int = Field(
        4,
        ge=1,
        description="attention heads, a divisor of the width; next to no effect on run time, and a"
        " change requires a retrain day",
    )
    frozen_offset_share: float = Field(
        0.25,
        ge=0,
        lt=1,
        description="share of the epochs in which the item offsets stay zero; a larger one leaves"
        " the offsets fewer epochs to train",
    )
    offset_rate_factor: float = Field(
        0.2,
        ge=0,
        le=1,
        description="learning rate of the item offsets, as a multiple of the others'",
    )
    generation_weight: float = Field(
        0.5,
        ge=0,
        description="λ_gen, weight of the h_gen loss; no unit; a larger one boosts general tastes"
        " over the next item",
    )
    popularity_gamma: float = Field(
        0.0,
        ge=0,
        le=1,
        description="γ of the fixed popularity term in training; no unit, no effect on run time",
    )
    cuts: int = Field(
        4,
        ge=1,
        description="cuts per history and epoch at which h_gen is trained; the time of a step"
        " grows with them",
    )
    later_events: LaterEvents = 10
    full_softmax_items: FullSoftmaxItems = 20_000
    sampled_items: SampledItems = 8_192

    _heads_divide_width = field_validator("heads")(heads_divide_width)


class TreeBridgeSettings(TrainingSettings):
    """TreeBridge: its network, its training and its search."""

    layers: int = Field(
        1,
        ge=1,
        description="transformer layers of the user encoder, which runs for every request: 1.5 ms"
        " with one, against about 8 ms for the search of a tree; a change requires a retrain day",
    )
    heads: int = Field(
        4,
        ge=1,
        description="attention heads of user encoder and decoders, a divisor of the width; next to"
        " no effect on run time, and a change requires a retrain day",
    )
    dropout: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="dropout probability of the user encoder; more of it needs more epochs",
    )
    epochs: Epochs = 8
    batch_size: int = Field(
        16,
        ge=1,
        description="users per step and worker; fewer take more steps, more take more memory",
    )
    learning_rate: LearningRate = 5e-3
    llm_weight: float = Field(
        1.0,
        gt=0,
        description="λ₁, weight of the llm tree's loss; no unit, no effect on run time: the list of"
        " the tree is fused like the other's. Like every weight of a loss it applies from the next"
        " training on, updates included",
    )
    cf_weight: float = Field(
        1.0,
        gt=0,
        description="λ₂, weight of the cf tree's loss; no unit, no effect on run time",
    )
    item_weight: float = Field(
        2.0,
        ge=0,
        description="λ₃, weight of the item-level softmax loss; above 0, lists are ranked by the"
        " item score too. On 12,000 items it doubles the time of a training step; 0 trains the"
        " trees alone, as in the paper. A change from or to 0 requires a retrain day",
    )
    keyword_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of searches whose keyword starts the decoder in training; the others"
        " train the start without a keyword",
    )
    unknown_share: UnknownShare = 0.1
    full_softmax_items: FullSoftmaxItems = 20_000
    sampled_items: SampledItems = 8_192
    beam: int = Field(
        200,
        ge=1,
        description="paths kept per level and tree. With twice the longest list, the search finds"
        " .998 of the top 100 of an exhaustive search over 12,000 items; with half of that .987,"
        " in half the time for many users; see `tests/benchmarks/results/generator.md`",
    )
    candidates: int = Field(
        100,
        ge=1,
        description="items retrieved per user, for all users each day; the table grows with them,"
        " the time of the search does not",
    )
    fusion: Literal["sum", "max", "product", "round_robin"] = Field(
        "sum",
        description="fusion of the trees' lists: sum, maximum or product of an item's scores in"
        " both, or round-robin; no effect on run time. On Beauty the sum was best, by .001 to .003"
        " at HR@50. A product counts the item score and the bonus once per tree",
    )
    new_item_bonus: float = Field(
        1.5,
        ge=0,
        le=10,
        description="log-score boost of items without training interactions (mostly new ones),"
        " applied where there is no keyword. 1.5 against 0: 1.7 times as many users with a new"
        " item found, +0.7 % overall (simulator); 1.6 times and −1.6 % (Beauty from 2014 on). No"
        " effect on run time",
    )
    leaf_step: Literal["item_score", "slot"] = Field(
        "item_score",
        description="how the items of a leaf are distinguished: by the score of the item's vector,"
        " which a new item has too, or by decoding the slot as one more code; a change requires a"
        " retrain day",
    )

    _heads_divide_width = field_validator("heads")(heads_divide_width)
