"""One pass of a model over a day: prepare, train or load, encode, judge, commit.

The three train jobs do the same with different models. What they share reads tables, trains,
infers and judges, so it can live in none of these packages: it stands between them and the jobs.
"""
