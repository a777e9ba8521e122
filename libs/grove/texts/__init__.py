"""Texts → unit vectors: what is said of an item, a local language model, and who made a vector."""
