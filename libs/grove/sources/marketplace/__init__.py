"""A simulated shop that knows the true probabilities of everything it does.

Every number is drawn from a generator named by (seed, purpose, day), so day D depends on nothing
but seed, size, first day and D. The modules, in the order in which a day comes about:

    taxonomy → catalogue, people → scene → demand → display → behaviour → feeds, defects
                                              └────────────────────────► oracle
"""

from grove.sources.marketplace.simulator import Marketplace

__all__ = ["Marketplace"]
