from datetime import date

import pytest

from grove.errors import SettingsError
from grove.sources import open_source, require_days, require_feeds, source_kind, source_names

FIRST_DAY = date(2026, 10, 20)


def test_the_marketplace_opens():
    source = open_source("marketplace", size="tiny", first_day=FIRST_DAY)
    assert source.name == "marketplace"
    require_days(source, [FIRST_DAY])
    require_feeds(source, ("events", "catalogue", "users", "context"))


def test_every_source_is_found_by_the_name_of_its_module():
    assert source_names() == ("amazon-reviews", "marketplace", "online-retail")
    assert source_kind("marketplace").has_size
    assert source_kind("online-retail").needs_data


@pytest.mark.parametrize("name", ["template", "registry", "marketplace.world", "no_such", ""])
def test_a_module_that_declares_no_source_is_none(name):
    with pytest.raises(SettingsError, match="amazon-reviews, marketplace, online-retail"):
        source_kind(name)


def test_a_day_before_the_first_is_rejected():
    source = open_source("marketplace", size="tiny", first_day=FIRST_DAY)
    with pytest.raises(SettingsError, match="from 2026-10-20 on"):
        require_days(source, [FIRST_DAY, date(2026, 10, 19)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "bookshop"}, "marketplace, online-retail"),
        ({"name": "marketplace", "size": "huge", "first_day": FIRST_DAY}, "tiny, small"),
        ({"name": "marketplace"}, "source.first_day"),
        ({"name": "online-retail"}, "source.data"),
        ({"name": "online-retail", "data": "/nowhere"}, "online_retail.snappy.parquet"),
    ],
)
def test_wrong_values_are_named(arguments, message):
    with pytest.raises(SettingsError, match=message):
        open_source(**arguments)


def test_a_feed_the_source_does_not_have_is_rejected(tmp_path):
    source = open_source("marketplace", size="tiny", first_day=FIRST_DAY)
    with pytest.raises(SettingsError, match="reviews"):
        require_feeds(source, ("events", "reviews"))
