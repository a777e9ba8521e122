import numpy as np

from grove.sources.marketplace.draws import generator
from grove.sources.marketplace.people import draw_users
from grove.sources.marketplace.queries import NO_QUERY, draw_queries, query_text
from grove.sources.marketplace.taxonomy import BRANDS, STYLES


def test_queries_name_the_category_and_reflect_the_users_tastes(small_world):
    users = draw_users(small_world, 2_000)
    user = np.arange(2_000)
    leaf = user % len(small_world.leaves)
    codes = draw_queries(small_world, users, user=user, leaf=leaf, random=generator(1, "test"))
    searches = np.flatnonzero(codes != NO_QUERY)
    assert 0.65 < len(searches) / 2_000 < 0.8
    shown = 0
    for row in searches.tolist():
        text = " ".join(query_text(small_world, int(codes[row])).lower().split())
        entry = small_world.leaves[leaf[row]]
        assert text == entry.name.lower() or any(text.endswith(noun) for noun in entry.nouns)
        first = text.partition(" ")[0]
        if first in STYLES:
            assert first == STYLES[users.style_liking[row].argmax()]
            shown += 1
        shown += first in {brand.lower() for brand in BRANDS}
    assert shown > 300


def test_some_queries_are_sloppy_and_become_equal_once_normalised(world):
    plain, sloppy = query_text(world, 0), query_text(world, 1)
    assert plain != sloppy
    assert " ".join(sloppy.lower().split()) == plain
