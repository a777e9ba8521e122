"""Texts of the shop's items: ids, titles, descriptions and tags."""

from __future__ import annotations

from grove.sources.marketplace.products import Items
from grove.sources.marketplace.taxonomy import BRANDS, COLOURS, DEPARTMENTS, STYLES
from grove.sources.marketplace.world import World

ITEM_DIGITS = 6
_TITLES = (
    "{brand} {style} {noun} in {material}, {colour}",
    "{style} {material} {noun} by {brand} - {colour}",
    "{noun} {model} by {brand}: {style}, {material}, {colour}",
)
_STYLE_PHRASES = {
    "minimal": "Clean lines and nothing that is not needed",
    "vintage": "A look borrowed from the fifties",
    "rustic": "Rough edges and an honest, handmade feel",
    "playful": "Bright details that make people smile",
    "sporty": "Light, quick and made to move",
    "elegant": "Slim, polished and made for good company",
    "industrial": "Exposed seams and a workshop character",
    "natural": "Close to the raw material, with little treatment",
}
_LEVELS = (
    ("budget", "good value"),
    ("mid-range", "a solid choice"),
    ("premium", "top of the line"),
)


def item_id(row: int) -> str:
    """Id of an item, from its row.

    Example:
        >>> item_id(42)
        'I000042'
    """
    return f"I{row:0{ITEM_DIGITS}d}"


def describe(world: World, items: Items, row: int) -> dict[str, object]:
    """Texts of one item.

    Returns:
        The text fields of a catalogue row: item_id, title, description, brand, category_path, tags.
    """
    leaf = world.leaves[items.leaf[row]]
    level, praise = _LEVELS[_level(float(items.price_level[row]))]
    words = {
        "brand": BRANDS[items.brand[row]],
        "style": STYLES[items.style[row]],
        "material": DEPARTMENTS[leaf.department].materials[items.material[row]],
        "colour": COLOURS[items.colour[row]],
        "noun": leaf.nouns[items.noun[row]],
        "model": f"No. {100 + row * 37 % 900}",
    }
    title = _TITLES[row % len(_TITLES)].format(**words)
    description = (
        f"{_STYLE_PHRASES[words['style']]}. {words['noun'].capitalize()} {leaf.use}, made with"
        f" {words['material']} by {words['brand']}: {praise} in {leaf.group.lower()}, finished in"
        f" {words['colour']}."
    )
    return {
        "item_id": item_id(row),
        "title": title[0].upper() + title[1:],
        "description": description,
        "brand": words["brand"],
        "category_path": list(leaf.path),
        "tags": [words["style"], words["material"], words["colour"], level],
    }


def _level(price_level: float) -> int:
    return int(price_level > -0.6) + int(price_level > 0.7)
