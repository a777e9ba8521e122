"""The stages of a day, one module per job: each reads, calls a system, checks and writes."""
