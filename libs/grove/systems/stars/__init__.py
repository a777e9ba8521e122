"""STARS: the sequence transformer with a next-item and a general user vector."""
