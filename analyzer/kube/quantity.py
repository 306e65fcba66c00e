"""Kubernetes quantities (500m, 2, 1.5Gi, 1e3), read by the client's own parser. Preflight asks."""

from __future__ import annotations

from decimal import Decimal

from kubernetes.utils.quantity import parse_quantity


def read_quantity(text: str | float) -> Decimal:
    """The number that a quantity stands for. Raises ValueError for what is none."""
    try:
        amount = Decimal(parse_quantity(text))
    except ValueError:
        amount = Decimal("NaN")
    if not amount.is_finite():  # the parser takes NaN and Infinity too, which Kubernetes does not have
        raise ValueError(f"expected a quantity such as 500m or 1.5Gi, found {text!r}")
    return amount
