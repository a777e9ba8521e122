import json
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.errors import DataError
from grove.sources.json_lines import in_files, json_lines


def reference_json_lines(table):
    return [json.loads(json.dumps(row)) for row in table.to_pylist()]


@given(
    st.lists(
        st.tuples(
            st.none() | st.text(st.characters(exclude_categories=["Cs"])),
            st.none() | st.integers(-5, 5),
            st.none() | st.sampled_from([0.5, -2.25, 1e9]),
            st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=2),
        ),
        max_size=6,
    )
)
def test_lines_parse_back_to_the_rows(rows):
    names = {"text": pa.string(), "count": pa.int64(), "price": pa.float64()}
    schema = pa.schema([*names.items(), ("tags", pa.list_(pa.string()))])
    table = pa.Table.from_pylist(
        [dict(zip(schema.names, row, strict=True)) for row in rows], schema
    )

    lines = json_lines(table).to_pylist()

    assert [json.loads(line) for line in lines] == reference_json_lines(table)
    assert not any("\n" in line for line in lines)


def test_files_hold_every_line_once_and_end_in_a_newline():
    lines = pa.array(["a", "b", "c"])
    assert list(in_files(lines, lines_per_file=2)) == [b"a\nb\n", b"c\n"]


def test_no_lines_give_one_empty_file():
    assert list(in_files(pa.array([], pa.string()), lines_per_file=2)) == [b""]


def test_a_number_that_json_cannot_express_is_null():
    prices = [1.5, float("nan"), float("inf"), None]
    lines = json_lines(pa.table({"price": pa.array(prices, pa.float64())})).to_pylist()
    assert [json.loads(line)["price"] for line in lines] == [1.5, None, None, None]
    assert not any("nan" in line or "inf" in line for line in lines)


@pytest.mark.parametrize(
    ("values", "written"),
    [
        (pa.array(['a"'], pa.large_string()), '"a\\""'),
        (pa.array(["b"], pa.string_view()), '"b"'),
        (pa.array(["c"]).dictionary_encode(), '"c"'),
        (pa.array([date(2026, 8, 20)]), '"2026-08-20"'),
        (pa.array([1787212800 * 10**9], pa.timestamp("ns")), '"2026-08-20T08:00:00.000000Z"'),
        (pa.array([datetime(2026, 8, 20, 8, tzinfo=UTC)]), '"2026-08-20T08:00:00.000000Z"'),
        (pa.array([True]), "true"),
        (pa.array([Decimal("1.50")]), "1.50"),
        (pa.array([["x", None]], pa.large_list(pa.string())), '["x",null]'),
        (pa.array([[date(2026, 8, 20)]]), '["2026-08-20"]'),
        (pa.nulls(1), "null"),
    ],
)
def test_every_type_a_data_frame_has_is_written_as_json(values: pa.Array, written: str) -> None:
    (line,) = json_lines(pa.table({"x": values})).to_pylist()
    assert line == f'{{"x":{written}}}'
    json.loads(line)


@pytest.mark.parametrize(
    "values", [pa.array([b"x"]), pa.array([{"a": 1}]), pa.array([[b"x"]]), pa.array([time(8)])]
)
def test_a_type_that_json_has_not_names_the_column(values: pa.Array) -> None:
    with pytest.raises(DataError, match="column odd of a source's table") as caught:
        json_lines(pa.table({"odd": values}))
    assert str(values.type) in caught.value.found
