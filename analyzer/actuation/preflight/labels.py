"""Label selectors as the API server reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Does a LabelSelector (`matchLabels`, `matchExpressions`) match? None matches nothing, an empty one everything."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    return contains(labels, wanted) and all(_holds(rule, labels) for rule in selector.get("matchExpressions") or ())


def contains(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Are all wanted labels there?"""
    return all(labels.get(key) == value for key, value in wanted.items())


def shown(labels: Mapping[str, str]) -> str:
    """Labels as kubectl takes them: `app=shop,track=stable`."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "nothing"


def _holds(rule: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(rule["key"]), rule.get("values") or ()
    match rule["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case _:
            return value is None
