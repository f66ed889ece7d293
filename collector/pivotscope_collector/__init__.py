"""Pivotscope's collector: ingest, store, scores, plans, comparisons and the admin CLI."""
