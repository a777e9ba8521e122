"""The sections of the three models: their size, and how they are trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from grove.settings.section import Section

Epochs = Annotated[
    int,
    Field(ge=1, description="passes over the histories on a retrain day, whose time grows with it"),
]
LearningRate = Annotated[
    float, Field(gt=0, description="peak of the schedule on a retrain day; costs no time")
]


def heads_divide_width(heads: int, info: ValidationInfo) -> int:
    """Refuse attention heads that do not split the width evenly."""
    width = info.data.get("width")
    if width is not None and width % heads:
        raise ValueError(f"the heads must divide the width, {width}")
    return heads


class TrainingSettings(Section):
    """How one model is trained."""

    width: int = Field(
        64,
        ge=8,
        description="width of the vectors the model compares; weights and index grow with it, and a"
        " change is a retrain day",
    )
    dropout: float = Field(
        0.1, ge=0, lt=1, description="dropout probability; more of it needs more epochs"
    )
    epochs: Epochs = 12
    update_epochs: int = Field(
        2, ge=1, description="passes over the new events in every day's update, which grows with it"
    )
    batch_size: int = Field(
        64, ge=1, description="users per step and rank; more of them take more memory"
    )
    learning_rate: LearningRate = 2e-3
    update_learning_rate: float = Field(
        3e-4, gt=0, description="constant rate of the update; more of it forgets more"
    )
    max_drift: float = Field(
        0.5,
        gt=0,
        le=2,
        description="update gate: largest mean cosine distance of item vectors before and after; a"
        " day beyond it stops, and what is served stays",
    )


class StarsSettings(TrainingSettings):
    """STARS, and how its two heads are weighted."""

    layers: int = Field(
        2,
        ge=1,
        description="transformer layers, each of which training and encoding pay for; a change is"
        " a retrain day",
    )
    heads: int = Field(
        4,
        ge=1,
        description="attention heads, a divisor of the width; costs next to no time, and a change"
        " is a retrain day",
    )
    frozen_offset_share: float = Field(
        0.25,
        ge=0,
        lt=1,
        description="share of the epochs in which the item offsets stay zero; costs no time, and"
        " leaves the offsets fewer epochs to learn in",
    )
    generation_weight: float = Field(
        0.5,
        ge=0,
        description="λ_gen, weight of the h_gen loss; no unit, and costs no time; more of it"
        " favours general tastes over the next item",
    )
    popularity_gamma: float = Field(
        0.0,
        ge=0,
        le=1,
        description="γ of the fixed popularity term in training; no unit, and costs no time",
    )

    _heads_divide_width = field_validator("heads")(heads_divide_width)


class TreeBridgeSettings(TrainingSettings):
    """TreeBridge's generator and its search."""

    layers: int = Field(
        1,
        ge=1,
        description="transformer layers of the user encoder, which is run for every request: 1.5 ms"
        " with one, beside some 8 for the search of a tree; a change is a retrain day",
    )
    heads: int = Field(
        4,
        ge=1,
        description="attention heads of user encoder and decoders, a divisor of the width; costs"
        " next to no time, and a change is a retrain day",
    )
    dropout: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="dropout probability of the user encoder; more of it needs more epochs",
    )
    epochs: Epochs = 8
    batch_size: int = Field(
        16, ge=1, description="users per step and rank; fewer take more steps, more of them memory"
    )
    learning_rate: LearningRate = 5e-3
    llm_weight: float = Field(
        1.0,
        gt=0,
        description="λ₁, weight of the llm tree's loss; no unit, and a small one saves no time: the"
        " tree's list counts like the other's. Like all weights of losses it counts from the next"
        " training on, updates too",
    )
    cf_weight: float = Field(
        1.0,
        gt=0,
        description="λ₂, weight of the cf tree's loss; no unit, and a small one saves no time",
    )
    item_weight: float = Field(
        2.0,
        ge=0,
        description="λ₃, weight of the loss of the item itself among all items; above 0, lists are"
        " ranked by it too. A step of training takes about twice as long with it, on 12,000 items;"
        " at 0 the trees are alone, as in the paper. From 0 or to 0 is a retrain day",
    )
    beam: int = Field(
        200,
        ge=1,
        description="paths kept per level and tree; at twice the longest list, the search finds"
        " nearly all that scoring every item would find: .998 of 100 items of 12,000, .987 with"
        " half of it, which takes half the time of many users; see"
        " `tests/benchmarks/results/generator.md`",
    )
    candidates: int = Field(
        100,
        ge=1,
        description="items per user that are retrieved for all users each day; the search costs the"
        " same for fewer, the table grows with them",
    )
    fusion: Literal["sum", "max", "product", "round_robin"] = Field(
        "sum",
        description="how the trees' lists become one: by the sum of an item's scores in both, by"
        " the larger of them, by their product, or by turns; all cost the same. On reviews of"
        " beauty products the sum was best, by .001 to .003 at H@50. A product counts the item's"
        " own score and a bonus once per tree",
    )
    new_item_bonus: float = Field(
        1.5,
        ge=0,
        le=10,
        description="what items that nobody had in the events that were learnt, new ones for the"
        " most part, are favoured by in ranking without a keyword: their scores in each tree are"
        " multiplied by e to it. At 1.5 instead of 0, 1.7 times as many users found something new"
        " in a simulated shop, and .7 % more found something; on reviews of beauty products from"
        " 2014 on 1.6 times as many, and 1.6 % fewer. More favours more; none of it costs time",
    )
    leaf_step: Literal["item_score", "slot"] = Field(
        "item_score",
        description="how a leaf's items are told apart: by the score of the item's vector, which a"
        " new item has too, or by decoding the slot as one more code; a change is a retrain day",
    )

    _heads_divide_width = field_validator("heads")(heads_divide_width)
