"""The shop's sales, made up once at start from a seed."""

from __future__ import annotations

import random

MERCHANTS = 40
SALES_A_MERCHANT = 3000
REGIONS = ("north", "south", "east", "west")
CATEGORIES = ("books", "garden", "kitchen", "music", "tools", "toys")


def make_sales(seed):
    """Sales by merchant: lists of plain dicts, as a database driver hands them out."""
    source = random.Random(seed)
    return {merchant: [_sale(source) for _ in range(SALES_A_MERCHANT)] for merchant in range(MERCHANTS)}


def _sale(source):
    return {
        "amount": round(source.lognormvariate(4.6, 1.0), 2),
        "region": source.choice(REGIONS),
        "category": source.choice(CATEGORIES),
        "returned": source.random() < 0.04,
    }
