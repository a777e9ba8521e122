"""How good ranked lists are: metrics, popularity baselines and comparisons, in plain numpy."""
