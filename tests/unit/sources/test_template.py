import json
from datetime import date

from grove.sources.source import Source
from grove.sources.template import OrderFile

ORDERS = """order;time;customer;article;price
A17;2026-11-19 08:01:02;u1;mug;4.95
A17;2026-11-19 08:01:02;u1;spoon;1.20
A18;2026-11-21 09:00:00;u2;bowl;7.50
"""


def test_the_example_is_a_source_and_lands_its_days(tmp_path):
    file = tmp_path / "orders.csv"
    file.write_text(ORDERS, encoding="utf-8")
    source: Source = OrderFile(str(file))

    lines = b"".join(source.land(date(2026, 11, 19))["events"].files).splitlines()
    events = [json.loads(line) for line in lines]

    assert [event["event_id"] for event in events] == ["A17-mug", "A17-spoon"]
    assert events[0] == {
        "event_id": "A17-mug",
        "event_type": "order",
        "user_id": "u1",
        "item_id": "mug",
        "event_time": "2026-11-19T08:01:02.000Z",
        "price": 4.95,
    }
    assert source.days_available() == (date(2026, 11, 19), date(2026, 11, 21))
    assert source.calendar(date(2026, 11, 20)).state == "closed"
    assert source.calendar(date(2026, 11, 21)).state == "open"
    assert source.truth(date(2026, 11, 19)) is None
