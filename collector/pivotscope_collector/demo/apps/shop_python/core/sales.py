"""Sales and what the shop's agents earn on them."""

from __future__ import annotations

TIERS = ((1000.0, 0.08), (250.0, 0.06), (0.0, 0.05))
REGION_FACTORS = {"north": 1.0, "south": 1.1, "east": 0.95, "west": 1.05}
RETURN_FEE = 0.5


def calculate_commission(sales_data):
    """Commission on a list of sales: a rate by size, a factor by region, a fee for what came back."""
    total = 0.0
    for sale in sales_data:
        amount = sale["amount"]
        if sale["returned"]:
            total -= RETURN_FEE
            continue
        for floor, rate in TIERS:
            if amount >= floor:
                total += amount * rate * REGION_FACTORS[sale["region"]]
                break
    return total


def totals_by_category(sales_data):
    """Turnover of each category, what came back left out."""
    totals = {}
    for sale in sales_data:
        if not sale["returned"]:
            category = sale["category"]
            totals[category] = totals.get(category, 0.0) + sale["amount"]
    return totals


def best_sellers(sales_data, limit):
    """The sales of the largest amounts."""
    return sorted(sales_data, key=lambda sale: sale["amount"], reverse=True)[:limit]
