"""What the traffic program and its parent tell each other: where to send users, and what became of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One ready pod behind the Service."""

    pod: str
    deployment: str
    version: str
    host: str
    port: int


@dataclass(slots=True)
class PodTraffic:
    """What one pod has done for its users so far. `first_served` is seconds since the epoch.

    `errors` are answers of 500 and above, `failures` requests without an answer; both are in `requests`.
    """

    pod: str
    deployment: str
    version: str
    requests: int = 0
    errors: int = 0
    failures: int = 0
    first_served: float | None = None


@dataclass(slots=True)
class TrafficCounts:
    """All that has happened up to `at`, in seconds since the epoch; `unrouted` found no ready pod."""

    at: float = 0.0
    offered: int = 0
    unrouted: int = 0
    pods: list[PodTraffic] = field(default_factory=list)

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> TrafficCounts:
        """Read such a line."""
        content: dict[str, Any] = json.loads(line)
        return cls(**{**content, "pods": [PodTraffic(**pod) for pod in content["pods"]]})
