"""How a budget is divided."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


def fair(total: float, wishes: Mapping[K, float]) -> dict[K, float]:
    """Divide `total`: the modest have all they wish for, the rest is divided evenly over the others.

    Source: max-min fairness; Bertsekas and Gallager, Data Networks, 2nd ed., section 6.5.2.
    """
    left, count, shares = total, len(wishes), {}
    for key in sorted(wishes, key=lambda key: wishes[key]):
        shares[key] = min(wishes[key], left / count)
        left -= shares[key]
        count -= 1
    return shares
