"""A simulated shop that knows the true probabilities of everything it does.

Every number is drawn from a generator named by (seed, purpose, day), so day D depends on nothing
but seed, size, first day and D. The modules, in the order in which they simulate a day:

    taxonomy → products, people → scene → demand → display → behaviour → feeds, defects
                                              └────────────────────────► oracle
"""

from grove.errors import SettingsError
from grove.sources.marketplace.simulator import Marketplace
from grove.sources.marketplace.world import SIZES, World
from grove.sources.source import SourceKind, SourceOptions, required

__all__ = ["SOURCE", "Marketplace"]


def _open(options: SourceOptions) -> Marketplace:
    if options.size not in SIZES:
        raise SettingsError(
            "unknown size of the marketplace",
            where="settings, source.size",
            expected=f"one of {', '.join(SIZES)}",
            found=options.size,
            next_step="correct the size",
        )
    # A first day that moved with the day landed would give each day another shop.
    first_day = required("source.first_day", options.first_day, "the simulated shop's first day")
    world = World(options.seed, SIZES[options.size], first_day)
    return Marketplace(world, keep_seen_items=options.keep_seen_items)


SOURCE = SourceKind(open=_open, needs_data=False, has_size=True)
