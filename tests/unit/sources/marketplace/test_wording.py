from grove.sources.marketplace.event_feed import item_ids
from grove.sources.marketplace.products import draw_items
from grove.sources.marketplace.taxonomy import ALL_LEAVES, BRANDS, DEPARTMENTS, leaves_of_size
from grove.sources.marketplace.wording import describe, item_id


def test_item_texts_are_real_and_ids_unique(small_world):
    items = draw_items(small_world, 2_000)
    rows = [describe(small_world, items, row) for row in range(len(items))]
    assert len({row["item_id"] for row in rows}) == 2_000
    assert len({row["title"] for row in rows}) > 1_950
    assert all(len(row["title"].split()) >= 4 for row in rows)
    assert all(len(row["description"].split()) >= 12 for row in rows)
    assert all(len(row["category_path"]) == 3 and len(row["tags"]) == 4 for row in rows)


def test_a_title_names_what_the_item_is(small_world):
    items = draw_items(small_world, 50)
    for row in range(50):
        words = describe(small_world, items, row)
        leaf = small_world.leaves[items.leaf[row]]
        assert leaf.nouns[items.noun[row]].lower() in words["title"].lower()
        assert words["brand"] in words["title"]
        assert words["category_path"] == list(leaf.path)


def test_ids_are_the_same_one_by_one_and_all_at_once():
    assert item_ids([0, 42]).to_pylist() == [item_id(0), item_id(42)]


def test_the_tree_has_sixty_leaves_of_three_levels():
    assert len(ALL_LEAVES) == len({leaf.path for leaf in ALL_LEAVES}) == 60
    assert {leaf.department for leaf in leaves_of_size(12)} == set(range(len(DEPARTMENTS)))
    assert len(set(BRANDS)) == 72
