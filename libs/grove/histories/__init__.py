"""Interactions → what each user wished for, in order of time, seen from before and after a day."""

from grove.histories.build import build_histories
from grove.histories.checks import HistoryFacts, check_histories, measure_histories

__all__ = ["HistoryFacts", "build_histories", "check_histories", "measure_histories"]
