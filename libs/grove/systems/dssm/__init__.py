"""DSSM: the two-tower model whose item vectors order the collaborative tree."""
