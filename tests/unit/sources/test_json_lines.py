import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

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
