"""What a model reads: item table, vocabularies and histories as arrays.

Training and inference must encode the same input the same way, and may not import each other;
so the encoding lives here, below both.
"""
