"""A small shop: merchants ask for their sales report."""

from __future__ import annotations

import hashlib
import os
import time

from core import catalogue, report, sales, vessel
from flask import Flask, Response, abort, request
from rollout import Rollout
from telemetry import ENGAGEMENT, ERRORS, LATENCY, REQUESTS, REVENUE, VALIDATION_FAILURES, VALIDATIONS, exposition

DATABASE_SECONDS = 0.002
VALIDATE_ONE_IN = 50

application = Flask(__name__)
rollout = Rollout(os.environ.get("SHOP_ROLLOUT", "rollout.json"))
sales_by_merchant = catalogue.make_sales(seed=7)


@application.get("/report/<int:merchant>")
def sales_report(merchant):
    """A merchant's report, computed by the implementation that the user is assigned to."""
    started = time.perf_counter()
    user = request.args.get("user", "")
    variant = "vessel" if vessel.available() and rollout.picks(user) else "legacy"
    sales_data = load_sales(merchant)
    commission = commission_of(sales_data, variant)
    body = report.render(report.build_report(merchant, sales_data, commission))
    record(user, variant, time.perf_counter() - started)
    return Response(body, mimetype="application/json")


@application.get("/metrics")
def metrics():
    """Prometheus text of all workers."""
    return Response(exposition(), mimetype="text/plain")


def load_sales(merchant):
    """The merchant's sales; the pause stands for the database."""
    time.sleep(DATABASE_SECONDS)
    try:
        return sales_by_merchant[merchant]
    except KeyError:
        abort(404)


def commission_of(sales_data, variant):
    """Commission by the variant; a native failure falls back and counts as an error of the native arm."""
    if variant == "legacy":
        return sales.calculate_commission(sales_data)
    try:
        return vessel.vessel_calculate_commission(sales_data)
    except Exception:
        ERRORS.labels(variant).inc()
        application.logger.exception("native commission failed, falling back")
        return sales.calculate_commission(sales_data)


def record(user, variant, seconds):
    """Count the request; one in some is checked for parity, outside the time that is reported."""
    LATENCY.labels(variant).observe(seconds)
    REQUESTS.labels(variant).inc()
    luck = int.from_bytes(hashlib.blake2b(f"{user}:{time.time_ns()}".encode(), digest_size=4).digest(), "big")
    if luck % 20 == 0:
        ENGAGEMENT.labels(variant).inc()
        REVENUE.labels(variant).inc(20 + luck % 8000 / 100)
    if variant == "vessel" and luck % VALIDATE_ONE_IN == 1:
        VALIDATIONS.labels(variant).inc()
        if not vessel.parity(sales_by_merchant[luck % catalogue.MERCHANTS]):
            VALIDATION_FAILURES.labels(variant).inc()
