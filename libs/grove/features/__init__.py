"""Inputs of the models: item table, vocabularies and histories as arrays.

Training and inference must encode the same input the same way, and may not import each other;
so the encoding is in this package, below both.
"""
