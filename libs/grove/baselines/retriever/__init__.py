"""Dual-encoder retriever with an adapter between text vectors and dot product."""
