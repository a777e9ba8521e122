"""All side effects: sessions, tables, files, clocks, locks and processes.

A stage reads and writes through this package. Nothing here depends on what a stage computes.
"""
