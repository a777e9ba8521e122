import json
from collections import Counter
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grove.errors import DataError, SettingsError
from grove.sources.online_retail import FILE_NAME, OnlineRetail

THURSDAY, FRIDAY, SATURDAY = date(2011, 3, 3), date(2011, 3, 4), date(2011, 3, 5)


def line(
    code="85123A", *, invoice="536365", quantity=6, customer=17850.0, price=2.55, day=THURSDAY
):
    return {
        "InvoiceNo": invoice,
        "StockCode": code,
        "Description": " WHITE  HANGING HEART ",
        "Quantity": quantity,
        "InvoiceDate": np.datetime64(f"{day}T08:26", "us").item(),
        "UnitPrice": price,
        "CustomerID": customer,
        "Country": "United Kingdom",
    }


def shop(folder, *lines):
    # A line on Friday, so that the file ends after the day under test.
    pq.write_table(pa.Table.from_pylist([*lines, line(day=FRIDAY)]), folder / FILE_NAME)
    return OnlineRetail(str(folder))


def landed(source, day=THURSDAY):
    files = source.land(day)["events"]
    events = [json.loads(text) for text in b"".join(files.files).splitlines()]
    assert len(events) == files.rows
    return events, dict(files.left_out)


def test_an_order_line_becomes_an_event(tmp_path):
    events, left_out = landed(shop(tmp_path, line("85123a")))
    (event,) = events
    assert event.pop("event_id")
    assert event == {
        "event_type": "order",
        "user_id": "17850",
        "item_id": "85123A",
        "event_time": "2011-03-03T08:26:00.000Z",
        "session_id": "536365",
        "price": 2.55,
        "quantity": 6,
        "region": "United Kingdom",
        "title": "WHITE HANGING HEART",
    }
    assert left_out == {}


def test_a_cancellation_has_a_positive_quantity(tmp_path):
    events, _ = landed(shop(tmp_path, line(invoice="C536379", quantity=-4)))
    assert [(event["event_type"], event["quantity"]) for event in events] == [("cancel", 4)]


@pytest.mark.parametrize(
    "code", ["POST", "D", "M", "m", "C2", "DOT", "BANK CHARGES", "AMAZONFEE", "CRUK", "S", "B",
             "gift_0001_20"]
)  # fmt: skip
def test_codes_that_are_no_product_are_left_out(tmp_path, code):
    assert landed(shop(tmp_path, line(code))) == ([], {"non_product": 1})


@pytest.mark.parametrize("code", ["22423", "15056BL", "DCGSSBOY", "DCGS0069", "PADS"])
def test_odd_codes_of_products_stay(tmp_path, code):
    events, _ = landed(shop(tmp_path, line(code)))
    assert [event["item_id"] for event in events] == [code]


def test_lines_left_out_are_counted_by_reason(tmp_path):
    source = shop(
        tmp_path,
        line(),
        line(customer=None),
        line(customer=float("nan")),
        line(quantity=-9, customer=None, price=0.0),
        line("POST", customer=None),
    )
    events, left_out = landed(source)
    assert len(events) == 1
    assert left_out == {"missing_customer": 2, "non_product": 1, "stock_adjustment": 1}


def test_equal_lines_have_one_id_and_all_land(tmp_path):
    events, _ = landed(shop(tmp_path, line(), line(), line(quantity=7)))
    assert len(events) == 3
    assert sorted(Counter(event["event_id"] for event in events).values()) == [1, 2]


def test_a_free_gift_is_landed(tmp_path):
    events, _ = landed(shop(tmp_path, line(price=0.0)))
    assert [event["price"] for event in events] == [0.0]


def test_days_without_lines_are_closed_with_a_reason(tmp_path):
    source = shop(tmp_path, line(), line(day=date(2011, 3, 7)))
    assert source.calendar(THURSDAY).state == "open"
    assert source.calendar(SATURDAY).reason == "no trade on Saturdays"
    assert source.calendar(date(2011, 3, 6)).reason == "no trade recorded"
    assert source.days_available() == (THURSDAY, date(2011, 3, 7))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=FILE_NAME):
        OnlineRetail(str(tmp_path))


def broken(folder):
    with pytest.raises(DataError, match="the data set cannot be read") as caught:
        OnlineRetail(str(folder))
    assert FILE_NAME in caught.value.where
    assert "again" in caught.value.next_step
    return caught.value


def test_a_file_cut_short_is_a_data_error(tmp_path):
    shop(tmp_path, line())
    content = (tmp_path / FILE_NAME).read_bytes()
    (tmp_path / FILE_NAME).write_bytes(content[: len(content) // 2])
    assert broken(tmp_path).expected == "a whole Parquet file"


def test_missing_columns_are_all_named(tmp_path):
    table = pa.Table.from_pylist([line()]).drop_columns(["Country", "UnitPrice"])
    pq.write_table(table, tmp_path / FILE_NAME)
    assert broken(tmp_path).found == "no UnitPrice, Country"


@pytest.fixture(scope="module")
def real_file(real_data_folder):
    return real_data_folder / "uci_online_retail" / FILE_NAME


@pytest.fixture(scope="module")
def real(real_file):
    return OnlineRetail(str(real_file.parent))


@pytest.mark.real_data
def test_the_real_file_spans_its_year(real):
    assert real.days_available() == (date(2010, 12, 1), date(2011, 12, 9))
    assert real.truth(date(2011, 11, 1)) is None


@pytest.mark.real_data
def test_every_closed_day_of_the_real_file_has_a_reason(real):
    first, last = (day.toordinal() for day in real.days_available())
    days = [real.calendar(date.fromordinal(number)) for number in range(first, last + 1)]
    reasons = Counter(day.reason for day in days if day.state == "closed")
    assert sum(day.state == "open" for day in days) == 305
    assert reasons["no trade on Saturdays"] == 51
    assert reasons["Christmas break"] == 11
    assert "no trade recorded" not in reasons
    assert real.calendar(date(2011, 11, 5)).reason == "no trade on Saturdays"


@pytest.mark.real_data
def test_rows_of_the_real_file_are_conserved(real, real_file):
    lines = Counter(pq.read_table(real_file)["InvoiceDate"].cast("date32").to_pylist())
    for day in (date(2010, 12, 1), date(2011, 11, 1), date(2011, 12, 9)):
        events, left_out = landed(real, day)
        assert len(events) + sum(left_out.values()) == lines[day]
        assert {event["event_type"] for event in events} == {"order", "cancel"}
        assert all(event["quantity"] > 0 and event["price"] >= 0 for event in events)
        assert all(event["title"] for event in events)
