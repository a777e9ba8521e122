"""Baselines that the papers compare with; used by benchmarks, not by the day."""
