"""Days with next to nothing in them are published, or end with a reason; none ends with a fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.conftest import SPARK
from tests.jobs.tiny_shop import Outcome, Row, TinyShop, event, item
from tests.unit.texts.tiny_decoder import make_decoder

from grove.contracts import Verdict
from grove.datasets import SYSTEMS
from grove.release import current_release

pytestmark = pytest.mark.slow

FIRST = date(2026, 8, 20)
PUBLISHED = Outcome(status="published", stage="publish_release")


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_decoder(tmp_path_factory.mktemp("decoder"))


def items(number: int, day: date = FIRST) -> list[Row]:
    return [item(one, day) for one in range(number)]


def events(number: int, day: date, **changes: Any) -> list[Row]:
    return [event(one, day, **changes) for one in range(number)]


def spread(number: int, day: date, column: str, name: str = "x") -> list[Row]:
    """Events that each have another value in a column."""
    return [event(one, day, **{column: f"{name}{one}"}) for one in range(number)]


@dataclass
class OpenShop:
    """A shop with a published day, and the next days to come."""

    shop: TinyShop
    day: date = FIRST

    def next_day(self) -> date:
        self.day += timedelta(days=1)
        return self.day


@pytest.fixture(scope="module")
def opened(decoder: Path, tmp_path_factory: pytest.TempPathFactory) -> OpenShop:
    shop = TinyShop.make(tmp_path_factory.mktemp("opened"), decoder, SPARK)
    opened = OpenShop(shop)
    shop.accept(FIRST, events(20, FIRST), items(6))
    day = opened.next_day()
    shop.accept(day, events(20, day), items(6))
    assert shop.run_without_spark(day) == PUBLISHED
    return opened


def versions(shop: TinyShop, day: date) -> list[str]:
    reports = [shop.report(day, f"train_{system.name}.update") for system in SYSTEMS]
    return [report["notes"]["model_version"] for report in reports]


@pytest.mark.spark
def test_a_day_of_impressions_keeps_the_weights_of_the_day_before(
    spark: object, opened: OpenShop
) -> None:
    before, day = opened.day, opened.next_day()
    opened.shop.land(day, events(9, day, event_type="impression"), [])
    assert opened.shop.run(day) == PUBLISHED
    assert versions(opened.shop, day) == versions(opened.shop, before)
    text = Path(opened.shop.layout.verdict(day, "evaluate_models", "metrics")).read_text()
    assert [one.name for one in Verdict.from_json(text).warnings] == ["somebody_judged"]
    text = Path(opened.shop.layout.verdict(day, "train_stars.update", "item_vectors")).read_text()
    assert "something_learned" in [one.name for one in Verdict.from_json(text).warnings]
    assert current_release(opened.shop.layout.current_pointer()) == f"{day}.1"


def later_days(kind: str, day: date) -> list[Row]:
    yesterday = day - timedelta(days=1)
    late = {"event_time": f"{yesterday}T23:00:00Z"}
    return {
        "cancels": events(9, day, event_type="cancel"),
        "late events": events(9, day, **late),
        "unknown items": spread(9, day, "item_id"),
        "unknown users": spread(9, day, "user_id"),
        "one event": events(1, day),
        "an unknown item by an unknown user": events(1, day, item_id="x", user_id="x"),
        "one user, all items seen": [
            event(one, day, user_id="u0", item_id=f"i{one}") for one in range(6)
        ],
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "cancels",
        "late events",
        "unknown items",
        "unknown users",
        "one event",
        "an unknown item by an unknown user",
        "one user, all items seen",
    ],
)
def test_a_degenerate_day_after_a_published_one_is_published(opened: OpenShop, kind: str) -> None:
    day = opened.next_day()
    opened.shop.accept(day, later_days(kind, day), [])
    assert opened.shop.run_without_spark(day) == PUBLISHED
    opened.shop.recommend()


@dataclass(frozen=True, kw_only=True)
class FirstDay:
    """A history of one day, the first day that is run, and its end."""

    history: Sequence[Row]
    today: Sequence[Row]
    catalogue: Sequence[Row] = ()
    stage: str = "publish_release"
    reason: str = ""
    sections: dict[str, Any] = field(default_factory=dict)


NEXT = FIRST + timedelta(days=1)
FIRST_DAYS = {
    "no history": FirstDay(
        history=(),
        today=events(9, NEXT),
        stage="build_histories",
        reason="there are no accepted days before this one",
    ),
    "one event of one user on one item": FirstDay(
        history=events(1, FIRST), today=events(1, NEXT), catalogue=items(1)
    ),
    "one item for all users": FirstDay(
        history=spread(5, FIRST, "user_id"),
        today=events(5, NEXT, item_id="i0"),
        catalogue=items(1),
        sections={"source": {"keep_seen_items": True}},
    ),
    "two items": FirstDay(
        history=events(2, FIRST), today=spread(3, NEXT, "user_id"), catalogue=items(2)
    ),
    "histories of one event": FirstDay(
        history=spread(9, FIRST, "user_id", "u"),
        today=spread(9, NEXT, "user_id", "v"),
        catalogue=items(4),
    ),
    "impressions before the first clicks": FirstDay(
        history=events(9, FIRST, event_type="impression"), today=events(9, NEXT), catalogue=items(4)
    ),
    "nothing but unknown items": FirstDay(
        history=spread(9, FIRST, "item_id"), today=spread(9, NEXT, "item_id"), catalogue=items(4)
    ),
    "items without events": FirstDay(
        history=events(1, FIRST), today=events(1, NEXT), catalogue=items(40)
    ),
    "no item": FirstDay(
        history=events(9, FIRST),
        today=events(9, NEXT),
        stage="train_dssm",
        reason="there is no item to train on",
    ),
    "an index of more lists than items": FirstDay(
        history=events(9, FIRST),
        today=events(9, NEXT),
        catalogue=items(4),
        stage="build_index",
        reason="the index cannot be built over these vectors",
        sections={"index": {"factory": "IDMap2,IVF16,Flat"}},
    ),
    "a tree of more codes than items": FirstDay(
        history=events(9, FIRST),
        today=events(9, NEXT),
        catalogue=items(3),
        stage="build_trees",
        reason="fewer items than codes",
        sections={"trees": {"level_sizes": [4, 4], "leaf_capacity": 2}},
    ),
}


@pytest.mark.parametrize("name", FIRST_DAYS)
def test_a_degenerate_first_day_is_published_or_ends_with_a_reason(
    name: str, tmp_path: Path, decoder: Path
) -> None:
    first = FIRST_DAYS[name]
    shop = TinyShop.make(tmp_path, decoder, SPARK, **first.sections)
    shop.accept(FIRST, first.history, first.catalogue)
    shop.accept(NEXT, first.today, ())
    outcome = shop.run_without_spark(NEXT)
    assert (outcome.stage, outcome.reason.partition("\n")[0]) == (first.stage, first.reason)
    if not first.reason:
        shop.recommend()


drawn_events = st.lists(
    st.fixed_dictionaries(
        {
            "event_type": st.sampled_from(["impression", "click", "order", "cancel"]),
            "user_id": st.sampled_from(["u0", "u1", "u2"]),
            "item_id": st.sampled_from(["i0", "i1", "i2", "x"]),
            "late": st.booleans(),
        },
        optional={"query": st.sampled_from(["mug", "?"])},
    ),
    min_size=1,
    max_size=4,
)


def rows_of_day(drawn: Sequence[Row], day: date) -> list[Row]:
    happened = {False: day, True: day - timedelta(days=1)}
    return [
        event(number, happened[row["late"]], event_id=f"{day}-{number}")
        | {name: value for name, value in row.items() if name != "late"}
        for number, row in enumerate(drawn)
    ]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("drawn")
    return (root / str(number) for number in count())


# Every example runs all stages of two days: a few, always the same, and none is made smaller.
@settings(
    max_examples=5,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(history=drawn_events, first=drawn_events, second=drawn_events, catalogue=st.integers(0, 3))
def test_tiny_random_days_are_published_or_end_with_a_reason(
    history, first, second, catalogue, decoder, folders
):
    shop = TinyShop.make(next(folders), decoder, SPARK)
    shop.accept(FIRST, rows_of_day(history, FIRST), items(catalogue))
    for number, drawn in enumerate((first, second), start=1):
        day = FIRST + timedelta(days=number)
        shop.accept(day, rows_of_day(drawn, day), ())
        outcome = shop.run_without_spark(day)
        assert outcome == PUBLISHED or outcome.reason
        if outcome == PUBLISHED:
            shop.recommend()
