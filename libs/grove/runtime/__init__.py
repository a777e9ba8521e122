"""Everything with an effect: sessions, tables, files, clocks, locks and processes.

Stages are pure; a job reads through this package, calls a stage, and writes through
this package. Nothing here knows what a stage computes.
"""
