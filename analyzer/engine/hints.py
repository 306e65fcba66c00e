"""What to do about a line of the log, where several modules of the engine say the same."""

from __future__ import annotations

BUG = "a bug: please report it with this traceback; other targets go on"
UNREADABLE = "the target holds until its state document can be read; the reason names the document and the way out"
RETRIED = "it is retried at the next tick; check the API server and RBAC for ConfigMaps"
