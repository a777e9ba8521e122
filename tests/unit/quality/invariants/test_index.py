import pytest

from grove.quality.invariants import graph_recall, index_recall
from grove.quality.invariants.index import index_complete


def test_an_index_holds_every_item_and_no_other():
    assert index_complete(["a", "b"], ["b", "a"]).passed
    assert index_complete(["a", "x"], ["a", "b", "c"]).unexpected_rows == 3


@pytest.mark.parametrize(("recall", "passed"), [(0.95, True), (0.9499, False)])
def test_a_low_recall_is_reported_with_the_settings_that_raise_it(recall, passed):
    found = index_recall(recall, minimum=0.95, contents="over 9 items")
    assert found.passed == passed
    assert found.observed == f"{recall:.4f} over 9 items"
    assert found.expected.startswith("recall at least 0.9500")
    assert ("index.ef_search" in found.expected) is not passed


def test_a_replaced_graph_is_a_warning():
    found = graph_recall(0.4, minimum=0.95)
    assert (found.severity, found.passed) == ("warn", False)
    assert "IDMap2,Flat" in found.expected
