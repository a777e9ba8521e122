import numpy as np

from grove.sources.marketplace.people import draw_users, favourite_brand, successors
from grove.sources.marketplace.taxonomy import brands_of


def test_users_have_two_to_five_tastes(small_world):
    users = draw_users(small_world, 2_000)
    tastes = (users.tastes > 0).sum(axis=1)
    assert set(tastes.tolist()) == {2, 3, 4, 5}
    assert np.allclose(users.tastes.sum(axis=1), 1)


def test_more_users_keep_the_first_ones(world):
    few, many = draw_users(world, 50), draw_users(world, 80)
    assert np.array_equal(few.tastes, many.tastes[:50])
    assert np.array_equal(few.visit_rate, many.visit_rate[:50])


def test_no_category_is_its_own_successor(small_world):
    following = successors(small_world)
    assert (following != np.arange(len(following))[:, None]).all()


def test_the_favourite_brand_is_the_best_liked_of_the_department(world):
    users = draw_users(world, 30)
    rows = np.arange(30)
    found = favourite_brand(users, np.full(30, 2), rows)
    for user, brand in zip(rows, found, strict=True):
        assert brand == max(brands_of(2), key=lambda row: users.brand_liking[user, row])
