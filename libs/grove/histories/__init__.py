"""Interactions → positive events of each user, in order of time, before and through a day."""

from grove.histories.build import build_histories
from grove.histories.checks import HistoryFacts, check_histories, measure_histories

__all__ = ["HistoryFacts", "build_histories", "check_histories", "measure_histories"]
