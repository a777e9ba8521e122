"""Category tree, brands and attributes of the shop, and the factors of each category's demand."""

from __future__ import annotations

from typing import NamedTuple

REGIONS = ("north", "south", "east", "west", "islands")
REGION_SHARES = (0.3, 0.25, 0.2, 0.15, 0.1)
DEVICES = ("phone", "desktop", "tablet")
WEATHERS = ("sunny", "cloudy", "rain", "snow", "heat")
AGE_BANDS = ("18-24", "25-34", "35-49", "50-64", "65+")
STYLES = (
    "minimal", "vintage", "rustic", "playful", "sporty", "elegant", "industrial", "natural",
)  # fmt: skip
COLOURS = (
    "sage green", "charcoal", "ivory", "navy", "terracotta", "sky blue", "mustard", "rose",
    "black", "sand", "burgundy", "silver",
)  # fmt: skip
_BRAND_STEMS = (
    "Nor", "Bel", "Kas", "Ver", "Lum", "Tor", "Alm", "Fen", "Hol", "Mar", "Sol", "Wyn",
)  # fmt: skip
BRANDS_PER_DEPARTMENT = len(_BRAND_STEMS)


class Department(NamedTuple):
    """Top level of the category tree: the suffix of its brands, and materials of its goods."""

    name: str
    brand_suffix: str
    materials: tuple[str, ...]


DEPARTMENTS = (
    Department("Home & Kitchen", "haus", ("oak", "steel", "ceramic", "glass", "bamboo", "linen")),
    Department("Outdoor & Garden", "fell", ("nylon", "canvas", "alloy", "cedar", "fleece", "jute")),
    Department("Electronics", "tek", ("aluminium", "graphite", "polymer", "titanium", "mesh")),
    Department("Fashion", "ette", ("cotton", "wool", "leather", "denim", "silk", "cashmere")),
    Department("Kids & Toys", "olino", ("beech", "felt", "plush", "cardboard", "rubber")),
    Department("Health & Beauty", "ora", ("aloe", "shea", "charcoal", "rosehip", "oat", "clay")),
)

BRANDS = tuple(
    stem + department.brand_suffix for department in DEPARTMENTS for stem in _BRAND_STEMS
)


class Leaf(NamedTuple):
    """A category without children."""

    department: int
    """Row of `DEPARTMENTS`."""
    group: str
    name: str
    nouns: tuple[str, ...]
    """Nouns for its items, the first one most often."""
    price: float
    """Median price, in currency."""
    peak_month: int
    """Month of highest demand; 0 = the same all year."""
    weather: str
    """Weather that raises demand; empty = none."""
    use: str
    """Use of its items, as a half sentence."""

    @property
    def path(self) -> tuple[str, str, str]:
        """Names from root to leaf."""
        return (DEPARTMENTS[self.department].name, self.group, self.name)


# department | group | leaf | nouns | median price | peak month | weather | use
_TABLE = """
0|Cooking|Frying Pans|frying pan, skillet, grill pan|34|0||for quick weekday dinners
0|Cooking|Saucepans|saucepan, stockpot, milk pan|39|0|rain|for soups, sauces and stews
0|Cooking|Bakeware|baking dish, cake tin, loaf pan|22|12|rain|for bread, cakes and gratins
0|Cooking|Kitchen Knives|chef knife, paring knife, bread knife|45|0||for clean and easy cutting
0|Dining|Plates & Bowls|dinner plate, pasta bowl, serving bowl|18|0||for everyday tables and guests
0|Dining|Glassware|wine glass, tumbler, carafe|16|6|heat|for cold drinks and long evenings
0|Dining|Coffee & Tea|coffee maker, teapot, espresso cup|48|11|rain|for slow mornings
0|Living|Table Lamps|table lamp, desk lamp, reading lamp|52|11||for warm light where it is needed
0|Living|Cushions & Throws|cushion, throw blanket, floor pillow|29|11|snow|for a softer sofa
0|Living|Candles|scented candle, pillar candle, candle holder|15|12|snow|for quiet evenings
0|Living|Storage Boxes|storage box, laundry basket, shelf bin|24|1||for shelves that stay tidy
0|Living|Bed Linen|duvet cover, pillowcase set, fitted sheet|58|1||for better sleep
1|Camping|Tents|trekking tent, family tent, tarp|160|6|sunny|for nights under the stars
1|Camping|Sleeping Bags|sleeping bag, camping quilt, bag liner|85|6|sunny|for warmth far from home
1|Camping|Camp Kitchen|camping stove, mess kit, water canister|42|6|sunny|for hot meals outdoors
1|Camping|Headlamps|headlamp, camping lantern, torch|33|10||for finding the way after dark
1|Garden|Garden Tools|pruning shears, hand trowel, garden fork|27|4|sunny|for beds and borders
1|Garden|Planters|plant pot, hanging planter, window box|21|4|sunny|for balconies and window sills
1|Garden|Seeds|seed mix, herb seeds, wildflower seeds|8|3|sunny|for growing from scratch
1|Garden|Garden Lighting|solar lantern, path light, string lights|31|7|heat|for gardens after sunset
1|Cycling|Bike Lights|bike light, rear light, light set|28|10|rain|for riding in traffic
1|Cycling|Panniers|pannier bag, handlebar bag, saddle bag|64|5|sunny|for commutes and touring
1|Cycling|Cycling Gloves|cycling gloves, thermal gloves, gel gloves|26|10|snow|for a firm grip
2|Audio|Headphones|headphones, studio headset, over-ear headphones|120|11||for music without noise
2|Audio|Earbuds|wireless earbuds, sport earbuds, in-ear monitors|79|11||for calls and runs
2|Audio|Speakers|bluetooth speaker, bookshelf speaker, soundbar|110|12||for rooms full of sound
2|Computing|Keyboards|mechanical keyboard, compact keyboard, number pad|89|9||for long writing days
2|Computing|Mice|wireless mouse, trackball, ergonomic mouse|46|9||for relaxed wrists
2|Computing|Monitors|monitor, portable display, curved monitor|240|9||for more room to work
2|Computing|Laptop Sleeves|laptop sleeve, laptop backpack, tablet case|38|9|rain|for safe commutes
2|Smart Home|Smart Lights|smart bulb, light strip, smart dimmer|35|11||for scenes at a tap
2|Smart Home|Sensors|motion sensor, door sensor, leak sensor|29|0||for a home that notices
2|Smart Home|Plugs & Chargers|smart plug, wall charger, power bank|25|0||for power everywhere
3|Women|Dresses|midi dress, wrap dress, shirt dress|69|5|heat|for office and weekend
3|Women|Knitwear|cardigan, turtleneck, knitted vest|62|10|snow|for layered looks
3|Women|Handbags|handbag, crossbody bag, tote bag|85|0||for carrying the day
3|Men|Shirts|oxford shirt, flannel shirt, polo shirt|48|5|sunny|for work and after
3|Men|Trousers|chinos, jeans, cargo trousers|66|9||for every day
3|Men|Jackets|rain jacket, field jacket, quilted jacket|130|10|rain|for unsettled weather
3|Shoes|Trainers|running shoes, low-top trainers, trail shoes|95|4|sunny|for miles on foot
3|Shoes|Boots|ankle boots, hiking boots, rain boots|120|11|rain|for wet and cold ground
3|Shoes|Sandals|leather sandals, slides, trekking sandals|55|7|heat|for hot days
3|Accessories|Scarves|scarf, snood, shawl|32|12|snow|for cold mornings
3|Accessories|Sunglasses|sunglasses, clip-on shades, sport glasses|74|7|heat|for bright light
4|Toys|Building Blocks|building blocks, marble run, stacking tower|37|12|rain|for small engineers
4|Toys|Soft Toys|soft bear, plush rabbit, hand puppet|22|12||for hugs and stories
4|Toys|Puzzles|jigsaw puzzle, wooden puzzle, brain teaser|19|12|rain|for rainy afternoons
4|Toys|Board Games|board game, card game, dice game|31|12|rain|for family evenings
4|Baby|Baby Blankets|baby blanket, swaddle, play mat|34|0|snow|for naps and floor time
4|Baby|Baby Feeding|bib set, feeding bottle, toddler bowl|17|0||for first meals
4|School|School Bags|school backpack, pencil case, gym bag|54|8||for the school run
4|School|Art Supplies|crayon set, watercolours, modelling clay|16|8|rain|for first masterpieces
5|Skin|Face Creams|face cream, night cream, eye gel|33|1|snow|for calm skin
5|Skin|Sun Care|sun lotion, after-sun gel, tinted sunscreen|21|7|heat|for days outside
5|Skin|Body Lotions|body lotion, hand cream, body butter|18|1|snow|for dry skin
5|Hair|Shampoos|shampoo bar, conditioner, dry shampoo|14|0||for shine without weight
5|Hair|Hair Tools|hair dryer, straightener, round brush|58|12||for styling at home
5|Wellness|Yoga|yoga mat, yoga block, stretching strap|36|1|rain|for stretching and strength
5|Wellness|Massage|massage gun, foam roller, massage oil|49|1||for tired muscles
5|Wellness|Bath Salts|bath salts, bath bomb, shower oil|16|12|snow|for a long soak
"""


def _leaf(line: str) -> Leaf:
    department, group, name, nouns, price, month, weather, use = line.split("|")
    words = tuple(noun.strip() for noun in nouns.split(","))
    return Leaf(int(department), group, name, words, float(price), int(month), weather, use)


ALL_LEAVES = tuple(_leaf(line) for line in _TABLE.strip().splitlines())


def leaves_of_size(count: int) -> tuple[Leaf, ...]:
    """Pick leaves evenly over the tree, so that a small shop has every department.

    Example:
        >>> len({leaf.department for leaf in leaves_of_size(12)})
        6
    """
    step = len(ALL_LEAVES) / count
    return tuple(ALL_LEAVES[int(index * step)] for index in range(count))


def brands_of(department: int) -> range:
    """Rows of `BRANDS` that belong to a department."""
    return range(department * BRANDS_PER_DEPARTMENT, (department + 1) * BRANDS_PER_DEPARTMENT)
