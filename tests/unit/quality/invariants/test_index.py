from grove.quality.invariants.index import index_complete


def test_an_index_holds_every_item_and_no_other():
    assert index_complete(["a", "b"], ["b", "a"]).passed
    assert index_complete(["a", "x"], ["a", "b", "c"]).unexpected_rows == 3
