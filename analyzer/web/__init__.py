"""What the daemon shows over HTTP. Rule: read-only; nothing can be changed through it, and no secret is shown."""

from analyzer.web.probes import Health, ProbeServer

__all__ = ["Health", "ProbeServer"]
