"""Search keywords of users who look for a category."""

from __future__ import annotations

import numpy as np

from grove.sources.marketplace.draws import Integers
from grove.sources.marketplace.people import Users, favourite_brand
from grove.sources.marketplace.taxonomy import BRANDS, STYLES
from grove.sources.marketplace.world import World

NO_QUERY = -1
_SEARCH_SHARE = 0.72
_PLAIN, _WITH_STYLE, _WITH_BRAND, _LEAF_NAME = range(4)
_FORM_SHARES = (0.5, 0.75, 0.92)
"""Upper bounds of the shares of the forms, in their order above; the last takes the rest."""
_SLOPPY_SHARE = 0.08
_WORDS = 128
"""Upper bound of the rows of `BRANDS` and `STYLES`; they are one digit of a code."""
_NOUNS = 4


def draw_queries(
    world: World, users: Users, *, user: Integers, leaf: Integers, random: np.random.Generator
) -> Integers:
    """Draw the keyword of each page.

    Args:
        world: the shop.
        users: all users; their keywords may name their favourite style or brand.
        user: [P] rows of users.
        leaf: [P] intent of each page.
        random: generator of the day.

    Returns:
        [P] int64, codes for `query_text`; -1 where the page was browsed to.
    """
    count = len(user)
    nouns = np.array([len(entry.nouns) for entry in world.leaves])[leaf]
    noun = (nouns * random.random(count) ** 1.3).astype(np.int64)
    form = np.searchsorted(_FORM_SHARES, random.random(count), side="right")
    department = np.array([entry.department for entry in world.leaves])[leaf]
    style = users.style_liking[user].argmax(axis=1)
    brand = favourite_brand(users, department, user)
    word = np.select([form == _WITH_STYLE, form == _WITH_BRAND], [style, brand], 0)
    noun = np.where(form == _LEAF_NAME, 0, noun)
    sloppy = random.random(count) < _SLOPPY_SHARE
    code = (((leaf * _NOUNS + noun) * 4 + form) * _WORDS + word) * 2 + sloppy
    return np.where(random.random(count) < _SEARCH_SHARE, code, NO_QUERY)


def query_text(world: World, code: int) -> str:
    """Text of a code; a sloppy one has capitals and double spaces, as people type them."""
    rest, sloppy = divmod(code, 2)
    rest, word = divmod(rest, _WORDS)
    rest, form = divmod(rest, 4)
    row, noun_row = divmod(rest, _NOUNS)
    leaf = world.leaves[row]
    noun = leaf.nouns[noun_row]
    text = {
        _PLAIN: noun,
        _WITH_STYLE: f"{STYLES[word % len(STYLES)]} {noun}",
        _WITH_BRAND: f"{BRANDS[word % len(BRANDS)]} {noun}",
        _LEAF_NAME: leaf.name,
    }[form]
    return f" {text.upper().replace(' ', '  ')}" if sloppy else text.lower()
