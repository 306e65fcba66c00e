"""What Kubernetes' quantities stand for."""

from __future__ import annotations

from decimal import Decimal

import pytest

from analyzer.kube.quantity import read_quantity


@pytest.mark.parametrize(
    ("text", "amount"),
    [("500m", "0.5"), ("2", "2"), ("1.5Gi", "1610612736"), ("1e3", "1000"), ("1n", "1e-9"), ("3k", "3000"), (4, "4")],
)
def test_reads_what_kubernetes_writes(text: str | float, amount: str) -> None:
    assert read_quantity(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "lots", "1gi", "0x10", "NaN", "inf"])
def test_raises_for_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="expected a quantity such as 500m"):
        read_quantity(text)
