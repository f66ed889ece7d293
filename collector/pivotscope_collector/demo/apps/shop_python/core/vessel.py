"""The native implementation of the hot function, with its fallback and its kill switch."""

from __future__ import annotations

import os

from core import sales

try:
    import vessel_commission
except ImportError:
    vessel_commission = None

ENABLED = os.environ.get("SHOP_VESSEL", "on") == "on"


def available():
    """Whether the native module was built and is not switched off."""
    return ENABLED and vessel_commission is not None


def vessel_calculate_commission(sales_data):
    """The same commission, computed natively; objects cross the boundary as they are."""
    return vessel_commission.run(sales_data)


def parity(sales_data):
    """Whether native and legacy code agree to the hundredth of a cent."""
    return abs(vessel_calculate_commission(sales_data) - sales.calculate_commission(sales_data)) < 1e-4
