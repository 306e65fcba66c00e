"""Small recorded cases of every kind, as the objects that lines of a file hold."""

from __future__ import annotations

from typing import Any

RATIO: dict[str, Any] = {
    "id": "c1",
    "kind": "ratio",
    "tolerance": {"ratio": 1.25, "absolute": 0.0005},
    "promoteMargin": {"ratio": 1.5, "absolute": 0.001},
    "falseAbort": 0.01,
    "falsePromote": 0.05,
    "steps": [0, 2],
    "noise": {"dispersion": 1.0, "podSpread": 0.0},
    "blocks": [
        {
            "canary": {"pods": {"c-1": {"events": 3, "total": 120}}},
            "stable": {"pods": {"s-1": {"events": 1, "total": 118}, "s-2": {"events": 2, "total": 121}}},
        }
    ]
    * 4,
}

HISTOGRAM: dict[str, Any] = {
    "id": "h1",
    "kind": "histogram",
    "bounds": [0.1, 0.25, 1, "+Inf"],
    "objective": 0.25,
    "noise": {"dispersion": 1.0, "podSpread": 0.0},
    "blocks": [
        {
            "canary": {"pods": {"c-1": {"buckets": [100, 110, 118, 120]}}},
            "stable": {"buckets": [1000, 1100, 1190, 1200], "podCount": 9},
        }
    ]
    * 4,
}

GAUGE: dict[str, Any] = {
    "id": "g1",
    "kind": "gauge",
    "direction": "up",
    "tolerance": {"ratio": 1.1},
    "noise": {"podSpread": 0.03, "withinPod": 0.05},
    "blocks": [
        {"canary": {"value": 0.42}, "stable": {"pods": {"s-1": {"value": 0.4}, "s-2": {"value": 0.39}}}},
    ]
    * 4,
}

RATE: dict[str, Any] = {
    "id": "r1",
    "kind": "rate",
    "noise": {"dispersion": 1.0, "podSpread": 0.0},
    "blocks": [{"canary": {"events": 30}, "stable": {"events": 280, "podCount": 9}}] * 4,
}

RESTARTS: dict[str, Any] = {
    "id": "x1",
    "kind": "restarts",
    "blocks": [{"canary": {"restarts": 1, "podHours": 0.5}, "stable": {"restarts": 0, "podHours": 4.5}}] * 4,
}

QUERY: dict[str, Any] = {"id": "q1", "kind": "query", "max": 0.05, "for": 3, "blocks": [{"value": 0.04}] * 4}

WHOLE: dict[str, Any] = {
    "id": "w1",
    "steps": [0, 2],
    "metrics": [
        {"name": "errors", "kind": "ratio", "importance": 4},
        {"name": "slo", "kind": "query", "max": 0.05, "scope": "canary"},
    ],
    "blocks": [
        {
            "errors": {"canary": {"events": 1, "total": 500}, "stable": {"events": 9, "total": 4500, "podCount": 9}},
            "slo": {"value": 0.01},
        }
    ]
    * 4,
}

_PODS = {f"s-{number}": {"events": 20 + number, "total": 2000} for number in range(5)}
PAST: dict[str, Any] = {
    "id": "p1",
    "kind": "ratio",
    "blockSeconds": 300,
    "history": [{"pods": _PODS}, {"stable": {"pods": _PODS}}] * 6,
    "blocks": [{"canary": {"events": 25, "total": 2000}, "stable": {"pods": _PODS}}] * 4,
}

_SLOW = {f"s-{number}": {"buckets": [1900, 1980 + number, 2000]} for number in range(5)}
PAST_LATENCY: dict[str, Any] = {
    "id": "p2",
    "kind": "histogram",
    "blockSeconds": 150,
    "bounds": [0.1, 1, "+Inf"],
    "history": [{"pods": _SLOW}] * 24,
    "blocks": [{"canary": {"buckets": [1900, 1990, 2000]}, "stable": {"pods": _SLOW}}] * 4,
}

_USED = {f"s-{number}": {"value": 1e8 + 1e6 * number} for number in range(5)}
PAST_LEVEL: dict[str, Any] = {
    "id": "p3",
    "kind": "gauge",
    "blockSeconds": 300,
    "history": [{"pods": _USED}] * 12,
    "blocks": [{"canary": {"value": 1.1e8}, "stable": {"pods": _USED}}] * 4,
}

EVERY_KIND = (RATIO, HISTOGRAM, GAUGE, RATE, RESTARTS, QUERY, WHOLE, PAST, PAST_LATENCY, PAST_LEVEL)
