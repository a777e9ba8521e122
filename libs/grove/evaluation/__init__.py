"""Evaluation of ranked lists: metrics, popularity baselines and comparisons, in plain numpy."""
